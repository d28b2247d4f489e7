"""`ai-popup hand-over`: called by file manager menus with the selected photos and folders."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent.domain.errors import AgentError, AgentUnreachable, DesktopError, LifecycleError, NotRunning
from agent.interfaces.cli.command import Command
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.params import Paths, There
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.interfaces.web.client import Client

START_S = 60.0  # a first start creates the library
POLL_S = 0.2
NOTIFY_S = 10.0


@click.command(cls=Command, name="hand-over", help=TEXTS("cli.help.hand_over"), short_help=TEXTS("cli.help.hand_over_short"))
@click.argument("what", type=click.Choice(["find", "redact"]), metavar="find|redact")
@click.argument("paths", nargs=-1, required=True, cls=Paths, type=There())
@click.pass_obj
def hand_over(session: CommandSession, what: str, paths: tuple[str, ...]) -> int:
    from agent.interfaces.cli.in_process_app import absolute

    try:
        client = answering(session)
        with first_of_many(session) as first:
            chosen = absolute(paths)
            return _find(client, chosen, show=first) if what == "find" else _redact(session, client, chosen, show=first)
    except AgentError as error:
        _notify(session, error)
        raise


def answering(session: CommandSession) -> "Client":
    """A running agent, started if there is none. Raises AgentUnreachable if it does not start."""
    with suppress(NotRunning):
        return session.client()
    from agent.infrastructure.core.json_child import own_command
    from agent.infrastructure.core.subprocesses import NO_CONSOLE

    none = subprocess.DEVNULL
    command = own_command("run")
    started = subprocess.Popen(command, stdin=none, stdout=none, stderr=none, start_new_session=True, creationflags=NO_CONSOLE)
    end = time.monotonic() + START_S
    # An agent that exits successfully yields to another one that is also starting: some file managers call once per file.
    while time.monotonic() < end and not started.poll():
        with suppress(LifecycleError):
            client = session.client()
            client.status()
            return client
        time.sleep(POLL_S)
    raise AgentUnreachable


@contextmanager
def first_of_many(session: CommandSession) -> Iterator[bool]:
    """Whether this is the only call at work: some file managers call once per file, and one window is enough for all of them."""
    from filelock import FileLock, Timeout

    lock = FileLock(session.paths.runtime / "hand-over.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _notify(session: CommandSession, error: AgentError) -> None:
    """Show the error as a notification if there is no terminal: after a menu choice the user sees none."""
    if sys.stderr is not None and sys.stderr.isatty():
        return
    from agent.desktop.notifications.notifier import Notifier

    texts = session.texts
    sentences = session.sentences(texts.cause(error), texts.remedy(error))
    with suppress(Exception):  # it is printed to standard error in any case
        asyncio.run(asyncio.wait_for(Notifier().say(texts, sentences, texts("ui.close"), lambda: None), NOTIFY_S))


def _find(client: "Client", paths: Sequence[str], *, show: bool) -> int:
    """Exit code 1 if a file failed. The popup shows new results by itself; it is opened for known ones too."""
    from agent.features.library.scan_schemas import ScanLine, ScanRequest

    lines = list(client.lines("/api/scans", ScanLine, ScanRequest(paths=tuple(paths))))
    if show:
        try:
            client.post("/api/popup/show")
        except DesktopError:
            _open(client, "photos")
    return int(any(line.stopped or (line.image is not None and line.image.error) for line in lines))


def _redact(session: CommandSession, client: "Client", paths: Sequence[str], *, show: bool) -> int:
    """Make copies without metadata and with all faces covered, in a folder beside the photos; the page of copies shows the progress.

    Raises CopyUnwritable, CopyDiskFull if that folder can't be created.
    """
    from agent.features.redaction.schemas import RedactLine, RedactRequest
    from agent.infrastructure.core.files import copy_errors

    if show:
        _open(client, "covers")
    failed = False
    for out, those in _places(paths, session.texts("cli.hand_over.folder")).items():
        with copy_errors():
            out.mkdir(exist_ok=True)  # an existing path can't be meant as a file name
        for line in client.lines("/api/redact", RedactLine, RedactRequest(paths=tuple(those), out=str(out), strip=True)):
            failed = failed or bool(line.stopped or (line.item is not None and line.item.error))
    return int(failed)


def _places(paths: Sequence[str], word: str) -> dict[Path, list[str]]:
    """Files by the folder for their copies: one beside the files, or one beside and named like a chosen folder."""
    found: dict[Path, list[str]] = {}
    for path in map(Path, paths):
        out = path.with_name(f"{path.name} {word}") if path.is_dir() else path.with_name(word)
        found.setdefault(out, []).append(str(path))
    return found


def _open(client: "Client", at: str) -> None:
    from agent.desktop.system.external_apps import open_in_browser

    open_in_browser(client.session_url(at=at))
