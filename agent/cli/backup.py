"""`ai-popup backup`, `recover` and `recovery-code`: what to do when the library or its key is lost."""

from typing import TYPE_CHECKING

import click

from agent.cli.command import Command, Group
from agent.cli.confirm import confirm, yes_option
from agent.cli.output import note, say
from agent.cli.session import Session
from agent.domain.errors import BackupDamaged
from agent.i18n import Texts

if TYPE_CHECKING:
    from agent.adapters.backup import Backup, BackupStore
    from agent.adapters.keys import LibraryKeys

TEXTS = Texts()


def _backups(session: Session) -> "BackupStore":
    from agent.adapters.backup import BackupStore
    from agent.bootstrap import home_of_key

    return BackupStore(session.paths.library, home_of_key(session.settings, session.paths), keep=session.settings.library.backups)


def _keys(session: Session) -> "LibraryKeys":
    from agent.adapters.keys import LibraryKeys
    from agent.adapters.store.opening import DATABASE_FILE
    from agent.bootstrap import home_of_key

    keys = LibraryKeys(session.paths.library, home_of_key(session.settings, session.paths))
    if not keys.exist and not (session.paths.library / DATABASE_FILE).exists():
        raise click.ClickException(session.texts("cli.recovery.none"))
    return keys


@click.group(cls=Group, help=TEXTS("cli.help.backup"))
def backup() -> None: ...


@backup.command(help=TEXTS("cli.help.backup_create"))
@click.pass_obj
def create(session: Session) -> None:
    """Also while the agent runs: the copy is one consistent moment of the library."""
    from agent.bootstrap import utc_now

    session.paths.create()
    with session.library() as library:
        made = _backups(session).create(library, utc_now())
    _show(session, made)


@backup.command(name="list", help=TEXTS("cli.help.backup_list"))
@click.pass_obj
def list_backups(session: Session) -> None:
    found = _backups(session).list()
    for one in found:
        _show(session, one)
    if not found:
        note(session.texts("cli.backup.none"))


@backup.command(help=TEXTS("cli.help.backup_verify"))
@click.argument("name", required=False)
@click.pass_obj
def verify(session: Session, name: str | None) -> int:
    store, bad = _backups(session), 0
    for one in [store.get(name)] if name else store.list():
        try:
            say(f"{one.name}: {session.texts('cli.backup.good', count=store.verify(one))}")
        except BackupDamaged as error:
            bad += 1
            session.explain(error, about=one.name)
    return 1 if bad else 0


@backup.command(help=TEXTS("cli.help.backup_restore"))
@click.argument("name", required=False)
@yes_option
@click.pass_obj
def restore(session: Session, name: str | None, yes: bool) -> None:
    from agent.bootstrap import utc_now

    store = _backups(session)
    with session.alone():
        chosen = store.get(name) if name else store.newest_good()
        if not yes and (photos := store.photos_at_risk()) is not None:
            confirm(session.texts, session.texts("cli.backup.sure", name=chosen.name, count=photos), yes=False)
        restored = store.restore(chosen, utc_now())
    say(session.texts("cli.backup.restored", name=restored.name))


@click.command(cls=Command, help=TEXTS("cli.help.recover"))
@click.pass_obj
def recover(session: Session) -> None:
    keys = _keys(session)
    keys.recover(click.prompt(session.texts("cli.recovery.ask"), err=True))
    say(session.texts("cli.recovery.done"))


@click.command(cls=Command, name="recovery-code", help=TEXTS("cli.help.recovery_code"))
@click.pass_obj
def recovery_code(session: Session) -> None:
    keys = _keys(session)
    say(keys.recovery_code(keys.unlock()))


def _show(session: Session, one: "Backup") -> None:
    say(f"{one.name}  {one.size / 1e6:,.1f} MB")
