"""`ai-popup serve`."""

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from agent.domain.errors import ServerPackagesMissing
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.app.server.addresses import ServerAddresses
    from agent.app.server.process import Server

EVERYWHERE = ("0.0.0.0", "::")


@click.command(cls=Command, help=TEXTS("cli.help.serve"), short_help=TEXTS("cli.help.serve_short"))
@json_option()
@click.pass_obj
def serve(session: CommandSession, as_json: bool) -> int:
    from agent.infrastructure.core.malloc_tuning import limit_arenas
    from agent.infrastructure.core.process_exit import short_turns
    from agent.infrastructure.core.resource_limits import raise_open_file_limit
    from agent.interfaces.cli.failures import failure_logged

    try:
        from agent.app.server.log_files import SERVER_LOG
        from agent.app.server.process import Server
    except ModuleNotFoundError as error:
        raise ServerPackagesMissing from error

    limit_arenas()
    short_turns()
    raise_open_file_limit()
    with failure_logged(session, SERVER_LOG):
        return _serve(session, Server, as_json=as_json)


def _serve(session: CommandSession, server: "type[Server]", *, as_json: bool) -> int:
    """Raises what `Server.run` raises."""
    from agent.app.library_home import key_in_file
    from agent.app.server.log_files import SERVER_LOG
    from agent.app.tracing import traced
    from agent.infrastructure.core import logs
    from agent.server.backups.restoring import finish

    session.file.load()

    def up(reached: "ServerAddresses") -> None:
        texts = session.texts
        file = _put_aside(session, reached.invitation)
        if as_json:
            shown = None if file else reached.invitation
            say(json.dumps(asdict(replace(reached, invitation=shown)) | {"invitation_file": file}))
            return
        say(*texts("cli.serve.ready", name=reached.name, address=reached.address, fingerprint=reached.fingerprint).split("\n"))
        if file:
            say(*texts("cli.serve.invitation_file", file=file).split("\n"))
        elif reached.invitation:
            say(*texts("cli.serve.invitation", link=reached.invitation).split("\n"))
        if session.file.snapshot.server.host in EVERYWHERE:
            note(texts("cli.serve.everywhere"))

    # A database elsewhere is there for several servers.
    with session.together() if session.file.snapshot.server.database else session.alone(command=False):
        logs.configure(session.file.snapshot.logs, session.paths.logs, file=SERVER_LOG, stdout=sys.stdout)
        try:
            finish(session.paths)  # before anything is made new: keys, settings and certificates come with a restore
            session.file.load()
            session.file.keep_copy()
            key_in_file(session.file, session.paths)
            with traced(session.file.snapshot.server.tracing, "ai-popup-server"):
                return server(session.paths, session.file, up, lambda: note(session.texts("cli.serve.ending")), session.explain).run()
        finally:
            logs.stop()


def _put_aside(session: CommandSession, link: str | None) -> str | None:
    """Return the file that the link was written to, None if it is to be printed: on a terminal. Raises StoreError."""
    from agent.app.server.addresses import put_aside
    from agent.infrastructure.core.files import store_error

    if link is None or sys.stdout.isatty():
        return None
    try:
        return str(put_aside(link, session.paths.data))
    except OSError as error:
        raise store_error(error) from error
