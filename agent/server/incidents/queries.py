"""Incidents and their messages in the database, and the entries of the record that the rules read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from agent.domain.errors import NotFound
from agent.domain.severity import Severity
from agent.infrastructure.core.actor import HERE, acting_as, actor
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.audit_chain import AuditEntry
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import audit, incident, incident_message, meta
from agent.server.incidents.incident_kinds import CloseReason, FirstStep, Found, IncidentKind, IncidentState, first_step
from agent.server.incidents.rules import WATCHED
from agent.server.messages.queue import MessageQueue

_CURSOR: Final = "incidents_cursor"
_ENTRY: Final = tuple(audit.c[name] for name in AuditEntry._fields)
_BEFORE: Final = 20_000  # entries that are read again, at most
_HISTORY: Final = 1_000


@dataclass(frozen=True, slots=True)
class Incident:
    id: int
    kind: IncidentKind
    severity: Severity
    at: datetime
    subject: str | None
    about: str
    number: int
    evidence: tuple[int, ...]
    state: IncidentState
    seen_at: datetime | None
    seen_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    reason: CloseReason | None
    acted_at: datetime | None
    acted_by: str | None
    undone_at: datetime | None

    @property
    def step(self) -> FirstStep | None:
        return first_step(self.kind, self.subject, self.about)


class RecordReader(AuditQueries):
    """The record as the rules read it."""

    def cursor(self) -> int | None:
        """The last entry that was looked at; None before the first time."""
        with self.database.read() as tx:
            return tx.scalar(select(meta.c.value).where(meta.c.name == _CURSOR))

    def entries_after(self, cursor: int, limit: int) -> tuple[int, list[AuditEntry]]:
        """The number of the last entry read, and of those read the ones that rules ask for, oldest first."""
        with self.database.read() as tx:
            rows = tx.execute(select(*_ENTRY).where(audit.c.id > cursor).order_by(audit.c.id).limit(limit)).all()
        return (rows[-1].id if rows else cursor), [AuditEntry(*row) for row in rows if row.action in WATCHED]

    def entries_before(self, entry: AuditEntry, since: datetime) -> list[AuditEntry]:
        """Entries that rules ask for, older than `entry` and not than `since`, oldest first."""
        which = (audit.c.id < entry.id, audit.c.at >= since, audit.c.action.in_(sorted(WATCHED)))
        with self.database.read() as tx:
            rows = tx.execute(select(*_ENTRY).where(*which).order_by(audit.c.id.desc()).limit(_BEFORE)).all()
        return [AuditEntry(*row) for row in reversed(rows)]

    def history(self, actions: Collection[str], subject: str | None, before: int) -> Sequence[AuditEntry]:
        """Implements `agent.server.incidents.rules.History`."""
        query = select(*_ENTRY).where(audit.c.action.in_(sorted(actions)), audit.c.id < before)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        with self.database.read() as tx:
            return [AuditEntry(*row) for row in tx.execute(query.order_by(audit.c.id.desc()).limit(_HISTORY))]

    def entries(self, ids: Collection[int]) -> list[AuditEntry]:
        with self.database.read() as tx:
            return [AuditEntry(*row) for row in tx.execute(select(*_ENTRY).where(audit.c.id.in_(ids)).order_by(audit.c.id))]


class IncidentQueries(RecordReader):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.outbox = MessageQueue(database, incident_message, incident_message.c.incident_id)

    def store(self, found: Collection[Found], cursor: int | None, ways: Collection[str], now: datetime) -> dict[int, IncidentKind]:
        """Store what is new, with its messages, and how far the record was read: all or nothing. Returns each new incident's kind."""
        with self.database.write(durable=True) as tx:
            new = {_raise(tx, each, ways, now): each.kind for each in found if not _is_known(tx, each.key)}
            if cursor is not None:
                tx.execute(delete(meta).where(meta.c.name == _CURSOR))
                tx.execute(insert(meta).values(name=_CURSOR, value=cursor))
            return new

    def incidents(self, *, before: int | None, limit: int, everything: bool) -> list[Incident]:
        """Newest first; without `everything` those that are not closed."""
        query = select(incident).order_by(incident.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(incident.c.id < before)
        if not everything:
            query = query.where(incident.c.state != IncidentState.CLOSED.value)
        with self.database.read() as tx:
            return [_incident(row) for row in tx.execute(query)]

    def count(self) -> int:
        """Return the number of open incidents: those not looked at yet."""
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(incident).where(incident.c.state == IncidentState.OPEN.value)) or 0

    def incident(self, incident_id: int) -> Incident:
        """Raises NotFound."""
        with self.database.read() as tx:
            return _required(tx, incident_id)

    def see(self, incident_id: int, now: datetime) -> Incident:
        """Note who looks at it first. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            before = _required(tx, incident_id)
            if before.state is IncidentState.OPEN:
                _set(tx, before, "incident_seen", now, state=IncidentState.SEEN.value, seen_at=now, seen_by=actor.get())
            return _required(tx, incident_id)

    def close(self, incident_id: int, reason: CloseReason, now: datetime) -> Incident:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            before = _required(tx, incident_id)
            if before.state is not IncidentState.CLOSED:
                values = {"state": IncidentState.CLOSED.value, "closed_at": now, "closed_by": actor.get(), "reason": reason.value}
                _set(tx, before, "incident_closed", now, **values)
                tx.execute(update(incident_message).where(incident_message.c.incident_id == incident_id).values(due_at=None))
            return _required(tx, incident_id)

    def reopen(self, incident_id: int, now: datetime) -> Incident:
        """Undo its closing. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            before = _required(tx, incident_id)
            if before.state is IncidentState.CLOSED:
                values = {"closed_at": None, "closed_by": None, "reason": None}
                state = IncidentState.SEEN if before.seen_at else IncidentState.OPEN
                _set(tx, before, "incident_reopened", now, state=state.value, **values)
            return _required(tx, incident_id)

    def acted(self, incident_id: int, now: datetime, *, undone: bool = False) -> Incident:
        """Note that the first step was done, or undone. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            before = _required(tx, incident_id)
            done = {"acted_at": now, "acted_by": actor.get(), "undone_at": None}
            _set(tx, before, "incident_step_undone" if undone else "incident_step", now, **({"undone_at": now} if undone else done))
            return _required(tx, incident_id)

    def keep_evidence(self, incident_id: int | None, sha256: str, now: datetime) -> None:
        """Put the digest on the record. Raises NotFound."""
        with self.database.write(durable=True) as tx:
            subject = None if incident_id is None else _required(tx, incident_id).subject
            audit_log.add(tx, "incident_evidence", subject, incident_id or 0, now, detail=sha256)

    def messages(self, incident_id: int) -> list[Row[*tuple[Any, ...]]]:
        """Way, attempts, `due_at`, `sent_at` and the last error's code of each."""
        return self.outbox.of(incident_id)


def _is_known(tx: Connection, key: str) -> bool:
    return tx.scalar(select(incident.c.id).where(incident.c.key == key)) is not None


def _raise(tx: Connection, found: Found, ways: Collection[str], now: datetime) -> int:
    values: dict[str, object] = {
        "key": found.key,
        "kind": found.kind.value,
        "severity": found.severity.value,
        "at": found.at,
        "subject": found.subject,
    }
    number = min(found.number, 2**31 - 1)
    values |= {"about": found.about, "number": number, "evidence": list(found.evidence), "state": IncidentState.OPEN.value}
    made = add(tx, incident, values)
    for way in ways:
        add(tx, incident_message, {"incident_id": made, "way": way, "attempts": 0, "due_at": now})
    with acting_as(HERE):
        audit_log.add(tx, "incident_raised", found.subject, number, now, detail=found.kind)
    return made


def _set(tx: Connection, before: Incident, action: str, now: datetime, **values: Any) -> None:
    tx.execute(update(incident).where(incident.c.id == before.id).values(**values))
    audit_log.add(tx, action, before.subject, 1, now, detail=f"{before.kind} {before.id}")


def _required(tx: Connection, incident_id: int) -> Incident:
    row = tx.execute(select(incident).where(incident.c.id == incident_id)).first()
    if row is None:
        raise NotFound
    return _incident(row)


def _incident(row: Row[*tuple[Any, ...]]) -> Incident:
    values = {name: row._mapping[incident.c[name]] for name in Incident.__dataclass_fields__}
    read = {"kind": IncidentKind(values["kind"]), "severity": Severity(values["severity"]), "state": IncidentState(values["state"])}
    reason = CloseReason(values["reason"]) if values["reason"] else None
    return Incident(**values | read | {"reason": reason, "evidence": tuple(values["evidence"])})
