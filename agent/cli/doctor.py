"""`ai-popup doctor`: looks at everything the program stands on and says what is wrong and what to do."""

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import click

from agent import __version__
from agent.cli.session import Session
from agent.domain.errors import AgentError, NoDisplay, NoTray, NotRunning, SourceUnreachable, StoreDiskFull

Check = Callable[[Session], str]
LEAST_FREE = 500 * 1024 * 1024


def examine(session: Session) -> int:
    """Print a line per check. Exit code 1 if one failed; what is merely absent (a tray, a running agent) is no failure."""
    click.echo(f"AI Popup {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    failed = 0
    for name, check in CHECKS:
        title = session.texts(f"cli.doctor.{name}")
        try:
            click.echo(f"✓ {title}: {check(session)}")
        except (NoTray, NoDisplay, NotRunning) as error:
            click.echo(f"· {title}: {session.texts.cause(error)} {session.texts.remedy(error)}")
        except AgentError as error:
            failed += 1
            click.echo(f"✗ {title}: {session.texts.cause(error)} {session.texts.remedy(error)} [{error.code}]")
    return 1 if failed else 0


def _settings(session: Session) -> str:
    session.file.load()
    return str(session.paths.settings)


def _folders(session: Session) -> str:
    folders = [Path(folder.root) for folder in session.settings.folders]
    if not all(folder.is_dir() and os.access(folder, os.R_OK | os.X_OK) for folder in folders):
        raise SourceUnreachable
    return str(len(folders))


def _disk(session: Session) -> str:
    session.paths.create()
    free = shutil.disk_usage(session.paths.data).free
    if free < LEAST_FREE:
        raise StoreDiskFull
    return f"{free / 1e9:.1f} GB"


def _key(session: Session) -> str:
    from agent.adapters.keys import LibraryKeys
    from agent.bootstrap import home_of_key

    home = home_of_key(session.settings, session.paths)
    keys = LibraryKeys(session.paths.library, home)
    if keys.exist:
        keys.unlock()
    else:
        home.read("doctor")  # only whether it answers
    return session.settings.library.key_home.value


def _library(session: Session) -> str:
    from agent.adapters.keys import LibraryKeys
    from agent.adapters.store.opening import open_library
    from agent.bootstrap import home_of_key

    home = home_of_key(session.settings, session.paths)
    if not LibraryKeys(session.paths.library, home).exist:
        return session.texts("cli.doctor.none_yet")
    library = open_library(session.paths.library, home)
    try:
        counts = library.counts()
    finally:
        library.close()
    return session.texts("cli.status.library", images=counts.images, faces=counts.faces, people=counts.people)


def _models(session: Session) -> str:
    from agent.bootstrap import model_store

    store = model_store(session.paths)
    needed = {"detector", "embedder"} if session.settings.recognition.enabled else {"detector"}
    infos = [info for info in store.list() if info.role in needed]
    for info in infos:
        store.path(info.name)  # raises if it is missing or damaged
    return ", ".join(f"{info.name} ({info.licence})" for info in infos)


def _engine(session: Session) -> str:
    from agent.bootstrap import engine_pool, model_store

    async def ask() -> str:
        pool = engine_pool(session.settings, session.paths, model_store(session.paths))
        try:
            hello = await pool.hello()
            return f"OpenVINO, {hello.device}, {hello.precision}"
        finally:
            await pool.close()

    return asyncio.run(ask())


def _display(session: Session) -> str:
    from agent.desktop.display import display_available

    if not display_available():
        raise NoDisplay
    return session.texts("cli.doctor.there")


def _tray(session: Session) -> str:
    from agent.desktop.display import tray_available

    if not tray_available():
        raise NoTray
    return session.texts("cli.doctor.there")


def _watches(session: Session) -> str:
    if not sys.platform.startswith("linux"):
        return session.texts("cli.doctor.there")
    return Path("/proc/sys/fs/inotify/max_user_watches").read_text(encoding="ascii").strip()


def _agent(session: Session) -> str:
    return session.client().status().state


CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", _settings),
    ("folders", _folders),
    ("disk", _disk),
    ("key", _key),
    ("library", _library),
    ("models", _models),
    ("engine", _engine),
    ("display", _display),
    ("tray", _tray),
    ("watches", _watches),
    ("agent", _agent),
)
