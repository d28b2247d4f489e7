"""`ai-popup backup now`, `status`, `drill`, `config` and `secret`: for a team server's backups, and offsite ones."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent.domain.errors import NotRunning, RepositoryDamaged, RepositoryUnwritable, ServerPackagesMissing, ServerStopped
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import Command, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import print_results, say, tell
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.server.backups.repositories import Place
    from agent.server.backups.schemas import BackupRunOut, BackupsOut
    from agent.server.backups.service import ServerBackups

T = TypeVar("T")


@click.command(cls=Command, help=TEXTS("cli.help.backup_now"))
@click.option("--full", is_flag=True, help=TEXTS("cli.help.backup_full"))
@click.option("--verify", is_flag=True, help=TEXTS("cli.help.backup_now_verify"))
@json_option()
@click.pass_obj
def now(session: CommandSession, full: bool, verify: bool, as_json: bool) -> int:
    from agent.interfaces.web.schemas import Problem
    from agent.server.backups.schemas import BackupRunOut, BackupsMade, BackupWanted

    texts = session.texts
    if not session.has_server:
        return _desktop_now(session, verify=verify, as_json=as_json)

    async def here(backups: "ServerBackups") -> BackupsMade:
        done = await backups.now(full=full, verify=verify)
        problems = tuple(Problem.of(each, texts) for each in done.problems)
        return BackupsMade(runs=tuple(map(BackupRunOut.of, done.runs)), problems=problems)

    wanted = BackupWanted(full=full, verify=verify)
    made = _asked(session, lambda: session.server().post_long("/api/backups", BackupsMade, wanted), here)
    lines = [_line(texts, each) for each in reversed(made.runs)]
    tell(made.model_dump(mode="json"), *lines, as_json=as_json)
    for each in made.problems:
        session.mention(f"{session.sentences(each.cause, each.remedy)} [{each.code}]")
    return 1 if made.problems else 0


@click.command(cls=Command, help=TEXTS("cli.help.backup_drill"))
@json_option()
@click.pass_obj
def drill(session: CommandSession, as_json: bool) -> None:
    from agent.server.backups.schemas import BackupRunOut

    async def here(backups: "ServerBackups") -> BackupRunOut:
        return BackupRunOut.of(await backups.drill())

    done = _asked(session, lambda: session.server().post_long("/api/backups/drill", BackupRunOut), here)
    said = session.texts("cli.backup.drilled", count=done.rows, seconds=f"{done.seconds:.1f}")
    tell(done.model_dump(mode="json"), said, as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.backup_status"))
@json_option()
@click.pass_obj
def status(session: CommandSession, as_json: bool) -> int:
    found = _state(session)
    tell(found.model_dump(mode="json"), *_state_lines(session.texts, found), as_json=as_json)
    if found.problem is not None and not as_json:
        session.mention(f"{session.sentences(found.problem.cause, found.problem.remedy)} [{found.problem.code}]")
    whole = all(each.last and not each.failed and not (each.drill and each.drill.code) for each in found.repositories)
    good = found.problem is None and whole and not found.gap and not found.log_failing
    return 0 if good else 1


def list_bases(session: CommandSession, *, as_json: bool) -> None:
    """Print the base backups of a server's repositories."""
    from agent.server.backups.schemas import BaseBackupOut, BaseBackups

    async def here(backups: "ServerBackups") -> BaseBackups:
        found = (await backups.state()).repositories
        return BaseBackups(items=tuple(BaseBackupOut.from_record(each) for repository in found for each in repository.backups))

    bases = _asked(session, lambda: session.server().call("GET", "/api/backups/bases", BaseBackups), here)

    def line(each: BaseBackupOut) -> str:
        return f"{each.at.astimezone():%Y-%m-%d %H:%M:%S}  {each.repository:<8} {each.kind:<5} {each.label}  {_size(each.size)}"

    print_results(bases.items, line, session.texts("cli.backup.no_bases"), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.backup_config"))
@json_option()
@click.pass_obj
def config(session: CommandSession, as_json: bool) -> None:
    from agent.app.library_home import home_of_key
    from agent.server.backups.configuration import configuration, for_another_host
    from agent.server.backups.repositories import RepositoryFolder, RepositoryPasswords, offsite_of

    settings = session.settings
    local = RepositoryFolder(session.paths.data)
    offsite = offsite_of(settings, home_of_key(settings, session.paths))
    text = configuration(settings.backup, RepositoryPasswords("", ""), (local, offsite) if offsite is not None else (local,))
    told = for_another_host(text)
    tell({"configuration": told}, *told.split("\n"), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.backup_secret"))
@json_option()
@click.pass_obj
def secret(session: CommandSession, as_json: bool) -> None:
    from agent.app.library_home import home_of_key, key_in_file
    from agent.server.backups.repositories import SECRET

    # Without a server's packages it is a desktop, whose secrets are in the keyring.
    if (session.has_server or not session.paths.library.exists()) and find_spec("psycopg") is not None:
        key_in_file(session.file, session.paths)
    asked = ask(session.texts, session.texts("cli.backup.ask_secret"))
    home_of_key(session.file.load(), session.paths).write(SECRET, asked.encode())
    tell({"kept": True}, session.texts("cli.backup.kept"), as_json=as_json)


def _desktop_now(session: CommandSession, *, verify: bool, as_json: bool) -> int:
    """Back up this computer's library, also into the second place if there is one."""
    from agent.app.library_home import backup_store, home_of_key
    from agent.infrastructure.core import logs
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.backups.desktop import send

    settings, paths = session.settings, session.paths
    paths.create()
    logs.configure(settings.logs, paths.logs)  # otherwise what restic says is written among the command's results
    try:
        store = backup_store(settings, paths)
        with session.database() as database:
            made = store.create(database, utc_now())
        size = stored = 0
        if not as_json:
            say(f"{made.name}  {_size(made.size)}")  # it is there, even if the second place can't be reached
        if settings.backup.offsite:
            size, stored = send(settings, paths, home_of_key(settings, paths), verify=verify)
    finally:
        logs.stop()
    said = [session.texts("cli.backup.sent", size=_size(size), stored=_size(stored))] if settings.backup.offsite else []
    tell({"name": made.name, "bytes": made.size, "sent": size, "stored": stored}, *said, as_json=as_json)
    return 0


def restore_from(session: CommandSession, source: str, to: str | None, *, as_json: bool) -> None:
    """Restore a server, or a desktop, from a repository into this home, which is empty; the recovery code is asked for."""
    from agent.app.library_home import home_of_key
    from agent.infrastructure.core import logs
    from agent.infrastructure.core.service_context import utc_now
    from agent.infrastructure.store.secret_stores import FileSecretStore
    from agent.server.backups.desktop import fetch, holds_desktop
    from agent.server.backups.repositories import RepositoryFolder, RepositoryPasswords, place_of
    from agent.server.backups.restic import Restic
    from agent.server.backups.restoring import check_empty

    moment = None if to is None else _moment(session, to)
    settings, paths, texts = session.settings, session.paths, session.texts
    check_empty(settings, paths)
    with session.alone():
        secrets = home_of_key(settings, paths) if paths.settings.exists() else FileSecretStore(paths.keys)
        try:
            place = place_of(source, settings, secrets)
        except ValueError as error:
            raise click.BadParameter(texts("cli.backup.no_address"), param_hint="--from") from error
        if isinstance(place, RepositoryFolder) and not place.path.is_dir():
            raise click.BadParameter(texts("cli.backup.no_folder"), param_hint="--from")
        code = ask(texts, texts("cli.recovery.ask"), hidden=False)
        logs.configure(settings.logs, paths.logs)
        try:
            if not holds_desktop(Restic(place, RepositoryPasswords.of(code), paths.cache / "restic", where="")):
                _restore_server(session, place, code, moment, as_json=as_json)
                return
            restored = fetch(place, code, paths, utc_now(), moment)
        except (RepositoryDamaged, RepositoryUnwritable) as error:
            raise type(error)(restoring=1) from error
        finally:
            logs.stop()
    tell({"name": restored.name}, texts("cli.backup.fetched", name=restored.name), as_json=as_json)


def _restore_server(session: CommandSession, place: "Place", code: str, moment: datetime | None, *, as_json: bool) -> None:
    from agent.app.library_home import key_in_file
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.backups.restoring import Restoring

    if find_spec("psycopg") is None:
        raise ServerPackagesMissing
    paths, texts = session.paths, session.texts
    if not paths.settings.exists():
        key_in_file(session.file, paths)
    found = Restoring(place, code, session.file.load(), paths, utc_now).run(moment)
    until = f"{found.until.astimezone():%Y-%m-%d %H:%M:%S}" if found.until else ""
    lines = [texts("cli.backup.restored_server", count=found.photos, people=found.people, until=until)]
    if found.forgotten or found.withdrawn:
        lines.append(texts("cli.backup.restored_again", forgotten=found.forgotten, withdrawn=found.withdrawn))
    facts = {**asdict(found), "until": found.until.isoformat() if found.until else None}
    tell(facts, *lines, texts("cli.backup.restored_next"), as_json=as_json)


def _moment(session: CommandSession, text: str) -> datetime:
    """Read a moment; without a zone it is of this computer's clock."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError as error:
        raise click.BadParameter(session.texts("cli.backup.no_moment"), param_hint="--to") from error


def _state(session: CommandSession) -> "BackupsOut":
    from agent.infrastructure.core.service_context import utc_now
    from agent.server.backups.schemas import BackupsOut

    async def here(backups: "ServerBackups") -> BackupsOut:
        return BackupsOut.of(await backups.state(), session.texts, utc_now())

    return _asked(session, lambda: session.server().call("GET", "/api/backups", BackupsOut), here)


def _asked(session: CommandSession, ask: Callable[[], T], here: "Callable[[ServerBackups], Coroutine[Any, Any, T]]") -> T:
    """Ask the running server; if it is stopped, do it here with its database. Raises ClickException if there is no server."""
    if not session.has_server:
        raise click.ClickException(session.texts("cli.backup.no_server"))
    try:
        return ask()
    except (ServerStopped, NotRunning) as error:
        if "starts" in error.params:  # it has its database already
            raise
        with session.alone(), _stopped(session) as backups:
            return asyncio.run(here(backups))


@contextmanager
def _stopped(session: CommandSession) -> "Iterator[ServerBackups]":
    from agent.app.server.backups import backups_of_server
    from agent.app.transfer_endpoints import stopped_database
    from agent.infrastructure.core.service_context import utc_now

    with stopped_database(session) as (database, embedded):
        yield backups_of_server(database, embedded, lambda: session.file.snapshot, session.paths, utc_now)


def _state_lines(texts: Texts, found: "BackupsOut") -> list[str]:
    lines = []
    for each in found.repositories:
        name = texts(f"backups.repositories.{each.name}")
        if each.last is None or each.last.ended_at is None:
            lines.append(texts("cli.backup.never", name=name))
        else:
            at = f"{each.last.ended_at.astimezone():%Y-%m-%d %H:%M}"
            lines.append(texts("cli.backup.last", name=name, at=at, size=_size(each.last.size), count=each.backups))
        if each.failed is not None:
            lines.append(texts("cli.backup.last_failed", name=name, code=each.failed.code))
        if each.drill is not None and each.drill.ended_at is not None:
            key = "drill_failed" if each.drill.code else "drill_good"
            at = f"{each.drill.ended_at.astimezone():%Y-%m-%d %H:%M}"
            lines.append(texts(f"cli.backup.{key}", name=name, at=at, code=each.drill.code, seconds=f"{each.drill.seconds:.1f}"))
    if found.log_at is not None:
        lines.append(texts("cli.backup.log", at=f"{found.log_at.astimezone():%Y-%m-%d %H:%M:%S}"))
    if found.log_failing:
        lines.append(texts("cli.backup.log_failing", count=found.log_waiting))
    if found.gap:
        lines.append(texts("cli.backup.gap"))
    if found.next_at is not None:
        lines.append(texts("cli.backup.next", at=f"{found.next_at.astimezone():%Y-%m-%d %H:%M}"))
    return lines


def _line(texts: Texts, run: "BackupRunOut") -> str:
    name, kind = texts(f"backups.repositories.{run.repository}"), texts(f"backups.kinds.{run.kind}")
    if run.code:
        return texts("cli.backup.run_failed", name=name, kind=kind, code=run.code)
    return texts("cli.backup.run_good", name=name, kind=kind, size=_size(run.size), stored=_size(run.stored))


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB"
