"""`ai-popup uninstall`: prepares the removal of the program, because uninstallers leave users' home folders alone."""

import os
import shutil
from contextlib import suppress

import click

from agent.domain.errors import AgentError, NotRunning
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, tell
from agent.interfaces.cli.session import CommandSession


@click.command(cls=Command, help=TEXTS("cli.help.uninstall"))
@click.option("--library", is_flag=True, help=TEXTS("cli.help.uninstall_library"))
@yes_option
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@json_option()
@click.pass_obj
def uninstall(session: CommandSession, library: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    from agent.app.engines import model_store
    from agent.desktop.system import autostart
    from agent.infrastructure.core.paths import HOME_VARIABLE

    texts, paths = session.texts, session.paths
    small = (paths.cache, paths.logs, paths.runtime, model_store(paths).folder)
    gone = [str(folder) for folder in (*small, *((paths.data, paths.config) if library else ())) if folder.exists()]
    if dry_run:
        tell({"removed": gone, "dry_run": True}, *(texts("cli.uninstall.would", path=path) for path in gone), as_json=as_json)
        return
    confirm(texts, texts("cli.uninstall.ask_library" if library else "cli.uninstall.ask"), yes=yes)
    _end_agent(session)
    with session.alone():
        if HOME_VARIABLE not in os.environ:
            autostart.follow(False)
        if library:
            _forget_key(session)
        for folder in (*small, *((paths.library,) if library else ())):
            shutil.rmtree(folder, ignore_errors=True)
    if library:
        # With the lock, which is released by now.
        for folder in (paths.data, paths.config):
            shutil.rmtree(folder, ignore_errors=True)
    else:
        note(texts("cli.uninstall.kept", path=str(paths.data)))
    if as_json:
        tell({"removed": gone}, as_json=True)
    else:
        note(texts("cli.uninstall.done"))


def _end_agent(session: CommandSession) -> None:
    from agent.app.run_commands import wait_for_end

    try:
        session.client().post("/api/quit")
    except NotRunning:
        return
    wait_for_end(session)


def _forget_key(session: CommandSession) -> None:
    """Delete the key: a copied library is then unreadable. A keyring that does not answer does not stop the uninstallation."""
    from agent.app.library_home import home_of_key
    from agent.infrastructure.store.keys import LibraryKeys

    with suppress(AgentError):
        LibraryKeys(session.paths.library, home_of_key(session.settings, session.paths)).forget()
