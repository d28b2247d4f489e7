"""`ai-popup run`, the trial of a new version by the previous one, and waiting for an agent's end."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING

from agent.domain.errors import AgentError, AgentUnreachable, SettingsError, StoreDamaged
from agent.infrastructure.core import logs
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.app.process import Agent
    from agent.app.program_swap import Handover

END_WAIT_S = 20.0
LOCK_WAIT_S = 10.0
TRIAL_END_S = 10.0
NOTIFY_S = 5.0


class End(Enum):
    """The cause of the agent's end."""

    SYSTEM = "system"  # a signal: logout, shutdown, Ctrl+C
    USER = "user"  # the tray, the API, `ai-popup quit`
    UPDATE = "update"  # to restart as the new version at once


def run_agent(session: CommandSession, *, tray: bool, trial: bool = False) -> End:
    """Run until quit, with the instance's lock held; returns the cause of the end. Without a tray the agent runs without icon.

    With `trial` it only starts, and ends with its standard input. Raises FewFiles, and errors that end the agent.
    """
    from agent.infrastructure.core.malloc_tuning import limit_arenas

    limit_arenas()
    from agent.app.process import Agent
    from agent.infrastructure.core.resource_limits import raise_open_file_limit

    raise_open_file_limit()
    settings = session.settings
    logs.configure(settings.logs, session.paths.logs)
    if not trial:
        session.file.keep_copy()
    try:
        agent = Agent(
            session.paths,
            session.file,
            session.database,
            tray=tray and settings.tray.enabled and not trial,
            trial=trial,
            explain=session.explain,
            on_ready=lambda: session.mention(session.texts("cli.run.ready" if settings.folders else "cli.run.begin")),
        )
        if trial:
            threading.Thread(target=_end_with_input, args=(agent,), name="trial", daemon=True).start()
        agent.run()
        return End.UPDATE if agent.restarts else End.USER if agent.quit_by_user else End.SYSTEM
    finally:
        logs.stop()


def tell_desktop(session: CommandSession, error: AgentError) -> bool:
    """Show the start error as a notification: after a start from a menu or at login, standard error is invisible.

    Returns whether the user had a damaged library restored from there, so that the agent can start.
    """
    if sys.stderr is not None and sys.stderr.isatty():
        return False
    if isinstance(error, StoreDamaged):
        from agent.app.recovery_prompt import restored_if_asked

        return restored_if_asked(session, error)
    from agent.desktop.notifications.notifier import Notifier

    with suppress(Exception):  # a failing notification must not hide the original error
        asyncio.run(asyncio.wait_for(Notifier().problem(session.texts, error), NOTIFY_S))
    return False


def try_out(session: CommandSession) -> int:
    """Start for a trial by the previous version, which has just released the lock."""
    with session.alone(command=False, wait_s=LOCK_WAIT_S):
        run_agent(session, tray=False, trial=True)
    return 0


def _end_with_input(agent: "Agent") -> None:
    sys.stdin.buffer.read()
    agent.quit()
    time.sleep(TRIAL_END_S)
    os._exit(1)  # it hangs, and holds the lock that the previous version needs


def before_run(session: CommandSession, words: Sequence[str]) -> None:
    """Install a waiting version now and continue as that version. Returns if this version is to run.

    Raises SettingsError.
    """
    from agent.features.updates.install_journal import waits

    session.file.load()
    if not waits(session.paths):
        return
    from agent.app.program_swap import become

    with _logged(session):
        place = handover(session).before_run()
    if place is not None:
        become(place, words)


def after_quit(session: CommandSession, words: Sequence[str], end: End) -> None:
    """Install a waiting version; start it at once if the user asked for that."""
    from agent.features.updates.install_journal import waits

    if not waits(session.paths):
        return
    from agent.app.program_swap import become

    with _logged(session):
        here = handover(session)
        here.settle()
        # The system does not wait: the next start installs it.
        place = here.after_quit(asked=end is End.UPDATE) if end is not End.SYSTEM else None
    if place is not None:
        become(place, words)


@contextmanager
def _logged(session: CommandSession) -> Iterator[None]:
    with suppress(OSError):
        logs.configure(session.file.snapshot.logs, session.paths.logs)
    try:
        yield
    finally:
        logs.stop()


def handover(session: CommandSession) -> "Handover":
    """The handover to another version."""
    from agent.app.program_swap import Handover
    from agent.infrastructure.core.package_info import read_build

    with suppress(SettingsError):  # otherwise the last valid settings apply
        session.file.load()
    return Handover(session.paths, session.file.snapshot, read_build())


def wait_for_end(session: CommandSession) -> int:
    """Wait until the agent has released its lock. Raises AgentUnreachable if it does not."""
    from filelock import FileLock, Timeout

    try:
        with FileLock(session.paths.lock, timeout=END_WAIT_S, poll_interval=0.05):
            return 0
    except Timeout as error:
        raise AgentUnreachable from error
