"""`ai-popup record`: who did what, and whether the record is as it was written."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import click

from agent.domain.errors import AgentUnreachable, AuditBroken, MovedRecordChanged, NotRunning, from_code
from agent.interfaces.cli.command import CommandGroup, json_option
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import ProgressBar, note, tell
from agent.interfaces.cli.record_line import record_line
from agent.interfaces.cli.session import CommandSession

if TYPE_CHECKING:
    from agent.app.audit_schemas import RecordCheck, RecordPage, RecordVerified
    from agent.infrastructure.store.audit_anchor import AuditAnchor
    from agent.infrastructure.store.audit_log import AuditQueries
    from agent.interfaces.web.client import Client

PAGE = 500
_ID = re.compile("[0-9a-f]{32}")


@click.group(cls=CommandGroup, help=TEXTS("cli.help.record"))
def record() -> None: ...


@record.command(name="list", help=TEXTS("cli.help.record_list"))
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help=TEXTS("cli.help.record_limit"))
@click.option("--before", type=click.IntRange(min=1), metavar="ID", help=TEXTS("cli.help.record_before"))
@click.option("--actor", metavar="MEMBER", help=TEXTS("cli.help.record_actor"))
@click.option("--action", metavar="WORD", help=TEXTS("cli.help.record_action"))
@json_option("json_each")
@click.pass_obj
def list_record(session: CommandSession, limit: int, before: int | None, actor: str | None, action: str | None, as_json: bool) -> None:
    said = 0
    with _opened(session) as opened:
        if actor and not _ID.fullmatch(actor):
            actor = opened.member_id(session, actor)
        names = {} if as_json else opened.names(session)
        while said < limit:
            page = opened.page(before=before, limit=min(limit - said, PAGE), actor=actor, action=action)
            for entry in page.items:
                tell(entry.model_dump(mode="json"), record_line(session.texts, entry, names), as_json=as_json)
            said, before = said + len(page.items), page.before
            if before is None:
                break
    if not said and not as_json:
        note(session.texts("cli.record.none"))


@record.command(help=TEXTS("cli.help.record_verify"))
@json_option()
@click.pass_obj
def verify(session: CommandSession, as_json: bool) -> int:
    with _opened(session) as opened:
        found = _verified(opened.checks())
    if as_json:
        tell({"intact": found.broken_at is None and not found.changed, **found.model_dump()}, as_json=True)
    if found.changed:
        session.explain(MovedRecordChanged(records=len(found.changed)), about=", ".join(found.changed))
    if found.broken_at is not None:
        session.explain(AuditBroken(row=found.broken_at))
        return 1
    if found.changed:
        return 1
    if not as_json:
        tell({}, session.texts("cli.record.intact", count=found.entries), as_json=False)
    return 0


def _verified(checks: "Iterable[RecordCheck]") -> "RecordVerified":
    """Show how far the record has been read. Return what was found. Raises AgentUnreachable, and what the agent met meanwhile."""
    bar, before = ProgressBar(), 0
    with bar.showing():
        for each in checks:
            if each.found is not None:
                return each.found
            if each.stopped is not None:
                raise from_code(each.stopped.code, each.stopped.params)
            if each.checked == 0:
                bar.begin(each.total)
            bar.move(each.checked - before, each.checked)
            before = each.checked
    raise AgentUnreachable


class _Asked:
    """The record of the running agent or server."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def member_id(self, session: CommandSession, name: str) -> str:
        """Return the id of the member with this sign-in name. Raises ClickException."""
        from agent.server.accounts.commands import member_named

        return member_named(session, self._client, name).id

    def names(self, session: CommandSession) -> dict[str, str]:
        from agent.server.accounts.commands import member_names

        return member_names(session, self._client)

    def page(self, **wanted: int | str | None) -> "RecordPage":
        from agent.app.audit_schemas import RecordPage

        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        return self._client.call("GET", f"/api/record?{query}", RecordPage)

    def checks(self) -> "Iterable[RecordCheck]":
        from agent.app.audit_schemas import RecordCheck

        return self._client.lines("/api/record/checks", RecordCheck)


class _Read:
    """The record of a library that no agent has open."""

    def __init__(self, library: "AuditQueries", witness: "AuditAnchor") -> None:
        self._library = library
        self._witness = witness

    def member_id(self, session: CommandSession, name: str) -> str:
        """Raises ClickException: names are the server's."""
        raise click.ClickException(session.texts("cli.members.unknown", name=name))

    def names(self, session: CommandSession) -> dict[str, str]:
        return {}

    def page(self, *, before: int | None, limit: int, actor: str | None, action: str | None) -> "RecordPage":
        from agent.app.audit_schemas import RecordPage

        return RecordPage.read(self._library, before=before, limit=limit, actor=actor, action=action)

    def checks(self) -> "Iterable[RecordCheck]":
        from agent.app.audit_schemas import record_checks

        return record_checks(self._library, self._witness)


@contextmanager
def _opened(session: CommandSession) -> Iterator[_Asked | _Read]:
    try:
        client = session.client()
    except NotRunning:
        from agent.infrastructure.store.audit_anchor import AuditAnchor
        from agent.infrastructure.store.audit_log import AuditQueries

        with session.library(AuditQueries) as library:
            yield _Read(library, AuditAnchor(session.paths.library))
        return
    with closing(client):
        yield _Asked(client)
