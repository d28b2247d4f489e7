"""`ai-popup server`: what keeps a team server running."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from agent.domain.errors import DatabaseUnreachable, ServerPackagesMissing
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.infrastructure.store.migrator import UpgradeStep
    from agent.infrastructure.store.schema_version import SchemaState


@click.group(cls=CommandGroup, help=TEXTS("cli.help.server"))
def server() -> None: ...


@server.command(help=TEXTS("cli.help.server_migrate"))
@click.option("--check", "only_check", is_flag=True, help=TEXTS("cli.help.server_migrate_check"))
@click.option("--expand", is_flag=True, help=TEXTS("cli.help.server_migrate_expand"))
@click.option("--plan", "only_plan", is_flag=True, help=TEXTS("cli.help.server_migrate_plan"))
@json_option()
@click.pass_obj
def migrate(session: CommandSession, only_check: bool, expand: bool, only_plan: bool, as_json: bool) -> int:
    try:
        from agent.infrastructure.store.migrator import steps, works_from
        from agent.infrastructure.store.server_database import Migrating, check_schema, refuse_older, server_database, versions_of
    except ModuleNotFoundError as error:
        raise ServerPackagesMissing from error
    from agent.app.library_home import home_of_key, key_in_file

    if only_check and only_plan:
        raise click.UsageError(session.texts("cli.server.one_of"))
    session.file.load()
    with _database(session) as url:
        versions_of(url).check()
        state = check_schema(url, Migrating.NONE if only_check else Migrating.ANY)
        every = steps(state.found) if not only_check and (state.left or not state.fits) else []
        pending = [step for step in every if not (expand and step.deferred and state.found)]  # an empty database gets all tables
        if not only_check and not only_plan and pending:
            refuse_older(url, works_from(pending))
            key_in_file(session.file, session.paths)
            how = Migrating.EXPAND if expand else Migrating.ANY
            server_database(url, session.paths.library, home_of_key(session.file.snapshot, session.paths), how).close()
    if as_json:
        say(json.dumps(_plan(state, pending) | {"migrated": bool(pending) and not only_plan, "left": len(every) - len(pending)}))
    else:
        _tell(session, state, pending, done=not only_plan)
        if len(every) > len(pending):
            note(session.texts("cli.server.left", count=len(every) - len(pending)))
    return 0


@contextmanager
def _database(session: CommandSession) -> Iterator[str]:
    """Yield the database's address. The one that comes with the program is started for this command if no server runs it.

    Raises AlreadyRunning, ServerError, StoreError.
    """
    from agent.app.server.log_files import SERVER_LOG
    from agent.app.transfer_endpoints import own_postgres
    from agent.infrastructure.core import logs
    from agent.infrastructure.store.server_database import database_url, versions_of

    settings, paths = session.file.snapshot, session.paths
    try:
        url = database_url(settings, paths.data)
        if settings.server.database:
            yield url
            return
        versions_of(url)
    except DatabaseUnreachable:
        if settings.server.database:
            raise
        with session.alone(), ExitStack() as running:
            logs.configure(settings.logs, paths.logs, file=SERVER_LOG)  # otherwise it is written among the command's results
            running.callback(logs.stop)
            yield running.enter_context(own_postgres(session.file, paths))[0]
        return
    yield url


def _plan(state: "SchemaState", pending: "list[UpgradeStep]") -> dict[str, object]:
    return {
        "found": state.found,
        "program": state.program,
        "works_from": state.works_from,
        "online": _online(state, pending),
        "steps": [asdict(step) for step in pending],
    }


def _online(state: "SchemaState", pending: "list[UpgradeStep]") -> bool:
    """Whether a program that is at work on the schema now goes on working after the steps."""
    from agent.infrastructure.store.migrator import works_from

    needed = works_from(pending)
    return needed is None or (state.found is not None and needed <= state.found)


def _tell(session: CommandSession, state: "SchemaState", pending: "list[UpgradeStep]", *, done: bool) -> None:
    texts = session.texts
    if not pending:
        say(texts("cli.server.up_to_date", revision=str(state.found)))
        return
    for step in pending:
        say(texts(f"cli.server.{step.kind}", revision=step.revision, about=step.about))
    if done:
        note(texts("cli.server.migrated", revision=pending[-1].revision))
    elif state.found is not None:
        note(texts("cli.server.online" if _online(state, pending) else "cli.server.offline"))
