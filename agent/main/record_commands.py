"""`ai-popup record`: who did what, and whether the record is as it was written."""

from typing import TYPE_CHECKING

import click

from agent.cli.command import CommandGroup, json_option
from agent.cli.output import note, tell
from agent.cli.session import CommandSession
from agent.core.actor import HERE
from agent.core.i18n import Texts
from agent.domain.errors import AuditBroken

if TYPE_CHECKING:
    from agent.store.audit_log import AuditEntry

TEXTS = Texts()


@click.group(cls=CommandGroup, help=TEXTS("cli.help.record"))
def record() -> None: ...


@record.command(name="list", help=TEXTS("cli.help.record_list"))
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help=TEXTS("cli.help.record_limit"))
@click.option("--before", type=click.IntRange(min=1), metavar="ID", help=TEXTS("cli.help.record_before"))
@click.option("--actor", metavar="ID", help=TEXTS("cli.help.record_actor"))
@click.option("--action", metavar="WORD", help=TEXTS("cli.help.record_action"))
@json_option("json_each")
@click.pass_obj
def list_record(session: CommandSession, limit: int, before: int | None, actor: str | None, action: str | None, as_json: bool) -> None:
    from agent.store.audit_log import AuditQueries

    with session.library(AuditQueries) as library:
        found = library.audit_entries(before=before, limit=limit, actor=actor, action=action)
    for entry in found:
        tell({**entry._asdict(), "at": entry.at.isoformat()}, _line(session, entry), as_json=as_json)
    if not found and not as_json:
        note(session.texts("cli.record.none"))


@record.command(help=TEXTS("cli.help.record_verify"))
@json_option()
@click.pass_obj
def verify(session: CommandSession, as_json: bool) -> int:
    from agent.store.audit_log import AuditQueries
    from agent.store.audit_witness import AuditWitness

    with session.library(AuditQueries) as library:
        broken_at = library.audit_broken_at(AuditWitness(session.paths.library).read())
        entries = library.audit_head().number
    if as_json:
        tell({"intact": broken_at is None, "entries": entries, "broken_at": broken_at}, as_json=True)
    if broken_at is not None:
        session.explain(AuditBroken(row=broken_at))
        return 1
    if not as_json:
        tell({}, session.texts("cli.record.intact", count=entries), as_json=False)
    return 0


def _line(session: CommandSession, entry: "AuditEntry") -> str:
    texts = session.texts
    who = texts("cli.record.here") if entry.actor == HERE else texts("cli.record.member", id=entry.actor)
    action = texts(key := f"record.actions.{entry.action}")
    words = [entry.action if action == key else action, *filter(None, [entry.detail])]
    facts = [f"{entry.id}", f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}", who, " ".join(words), f"{entry.number:,}"]
    return "  ".join([*facts, *filter(None, [entry.subject])])
