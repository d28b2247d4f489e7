"""`ai-popup backup`, `recover` and `recovery-code`: for a lost library or key."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from agent.app.server_backup_commands import config, drill, now, restore_from, secret, status
from agent.domain.errors import BackupDamaged
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.cli.command import Command, CommandGroup, json_option
from agent.interfaces.cli.confirm import confirm, yes_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note, say, tell
from agent.interfaces.cli.secret_input import ask
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.infrastructure.store.backup import Backup, BackupStore
    from agent.infrastructure.store.backup_diff import RestoreLoss
    from agent.infrastructure.store.keys import LibraryKeys


def _backups(session: CommandSession) -> "BackupStore":
    from agent.app.library_home import backup_store

    return backup_store(session.settings, session.paths)


def _keys(session: CommandSession) -> "LibraryKeys":
    from agent.app.library_home import home_of_key
    from agent.infrastructure.store.keys import LibraryKeys
    from agent.infrastructure.store.open_library import DATABASE_FILE

    keys = LibraryKeys(session.paths.library, home_of_key(session.settings, session.paths))
    if not keys.exist and not (session.paths.library / DATABASE_FILE).exists():
        raise click.ClickException(session.texts("cli.recovery.none"))
    return keys


def _names(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    return [one.name for one in _backups(context.find_root().obj).list() if one.name.startswith(begun)]


@click.group(cls=CommandGroup, help=TEXTS("cli.help.backup"))
def backup() -> None: ...


for each in (now, status, drill, config, secret):
    backup.add_command(each)


@backup.command(help=TEXTS("cli.help.backup_create"))
@json_option()
@click.pass_obj
def create(session: CommandSession, as_json: bool) -> None:
    """Make a backup, also while the agent runs: the copy is one consistent state of the library."""
    from agent.infrastructure.core.service_context import utc_now

    session.paths.create()
    with session.database() as database:
        made = _backups(session).create(database, utc_now())
    _show(made, as_json=as_json)


@backup.command(name="list", help=TEXTS("cli.help.backup_list"))
@json_option("json_each")
@click.pass_obj
def list_backups(session: CommandSession, as_json: bool) -> None:
    if session.has_server:
        from agent.app.server_backup_commands import list_bases

        list_bases(session, as_json=as_json)
        return
    found = _backups(session).list()
    for one in found:
        _show(one, as_json=as_json)
    if not found and not as_json:
        note(session.texts("cli.backup.none"))


@backup.command(help=TEXTS("cli.help.backup_verify"))
@click.argument("name", required=False, shell_complete=_names)
@json_option("json_each")
@click.pass_obj
def verify(session: CommandSession, name: str | None, as_json: bool) -> int:
    if session.has_server:
        raise click.ClickException(session.texts("cli.backup.verified_elsewhere"))
    store, bad = _backups(session), 0
    found = [store.get(name)] if name else store.list()
    if not found and not as_json:
        note(session.texts("cli.backup.none"))
    for one in found:
        try:
            photos = store.verify(one)
        except BackupDamaged as error:
            bad += 1
            if as_json:
                tell({"name": one.name, "good": False, "photos": None}, as_json=True)
            session.explain(error, about=one.name)
        else:
            good = session.texts("cli.backup.good", count=photos)
            tell({"name": one.name, "good": True, "photos": photos}, f"{one.name}: {good}", as_json=as_json)
    return 1 if bad else 0


@backup.command(help=TEXTS("cli.help.backup_restore"))
@click.argument("name", required=False, shell_complete=_names)
@yes_option
@click.option("--dry-run", is_flag=True, help=TEXTS("cli.help.dry_run"))
@click.option("--from", "source", metavar="REPOSITORY", help=TEXTS("cli.help.backup_from"))
@click.option("--to", "to", metavar="TIME", help=TEXTS("cli.help.backup_to"))
@json_option()
@click.pass_obj
def restore(session: CommandSession, name: str | None, yes: bool, dry_run: bool, source: str | None, to: str | None, as_json: bool) -> None:
    from agent.infrastructure.core.service_context import utc_now

    if source is None and to is not None:
        raise click.UsageError(session.texts("cli.backup.to_alone"))
    if source is not None:
        if name or dry_run:
            raise click.UsageError(session.texts("cli.backup.from_alone"))
        restore_from(session, source, to, as_json=as_json)
        return
    store = _backups(session)
    if dry_run:  # only reads: also beside a running agent
        chosen = store.get(name) if name else store.newest_good()
        store.verify(chosen)
        loss = store.loss(chosen)
        facts = {"name": chosen.name, "lost": None if loss is None else asdict(loss)}
        tell(facts, session.texts("cli.backup.would_restore", name=chosen.name), *_lost(session.texts, loss), as_json=as_json)
        return
    with session.alone():
        chosen = store.get(name) if name else store.newest_good()
        if not yes and (photos := store.photos_at_risk()) is not None:
            say(*_lost(session.texts, store.loss(chosen)), err=True)
            confirm(session.texts, session.texts("cli.backup.sure", name=chosen.name, count=photos), yes=False)
        told = "cli.backup.restored_into_nothing" if store.is_lost else "cli.backup.restored"
        restored = store.restore(chosen, utc_now())
    tell({"name": restored.name}, session.texts(told, name=restored.name), as_json=as_json)


@click.command(cls=Command, help=TEXTS("cli.help.recover"))
@click.pass_obj
def recover(session: CommandSession) -> None:
    store = _backups(session)
    copied = next(iter(store.list()), None) if store.is_lost else None  # all there is on a new computer
    keys = _keys(session) if copied is None else store.keys(copied)
    keys.recover(ask(session.texts, session.texts("cli.recovery.ask"), hidden=False))
    say(session.texts("cli.recovery.done" if copied is None else "cli.recovery.done_backups"))


@click.command(cls=Command, name="recovery-code", help=TEXTS("cli.help.recovery_code"))
@json_option()
@click.pass_obj
def recovery_code(session: CommandSession, as_json: bool) -> None:
    keys = _keys(session)
    code = keys.recovery_code(keys.unlock())
    tell({"recovery_code": code}, code, as_json=as_json)


def _lost(texts: Texts, loss: "RestoreLoss | None") -> list[str]:
    """The sentences on what a restore would lose."""
    if loss is None:
        return [texts("cli.backup.not_compared")]
    names = texts("ui.list_separator").join(loss.people)
    lines = [
        texts(f"cli.backup.lost_{kind}", count=count, names=names)
        for kind, count in (("photos", loss.photos), ("people", len(loss.people)), ("faces", loss.faces), ("copies", loss.copies))
        if count
    ]
    return lines or [texts("cli.backup.lost_nothing")]


def _show(one: "Backup", *, as_json: bool) -> None:
    facts = {"name": one.name, "at": one.at.isoformat(), "bytes": one.size}
    tell(facts, f"{one.name}  {one.size / 1e6:,.1f} MB", as_json=as_json)
