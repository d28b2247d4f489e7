"""Alerts, silences and messages in the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from agent.domain.errors import NotFound
from agent.domain.jobs import JobState
from agent.domain.severity import Severity
from agent.infrastructure.core.actor import HERE, acting_as, actor
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.backup_dates import SLACK, is_future
from agent.infrastructure.store.database import Database, Queries
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import alert, alert_message, alert_silence, audit, job
from agent.server.alerts.alert_kinds import FACTS, AlertKind
from agent.server.alerts.conditions import Work
from agent.server.alerts.records import Alert, AlertEvent, AlertReading, AlertSource, ReceivedAlert, Silence, SilenceReason
from agent.server.messages.queue import MessageQueue

KEPT: Final = timedelta(days=180)  # how long ended alerts are shown
PROMETHEUS_SILENT: Final = timedelta(days=1)  # Alertmanager repeats what fires every four hours
MOST_SHOWN: Final = 500
_NEWS: Final = timedelta(days=1)
_MOST_NUMBER: Final = 2**31 - 1
_SIGN_IN_FAILED: Final = "sign_in_failed"
_MOST_ENTRIES: Final = 20_000
_FIRES: Final = alert.c.ended_at.is_(None)


class AlertQueries(Queries):
    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.outbox = MessageQueue(database, alert_message, alert_message.c.alert_id)

    # -- the watch ---------------------------------------------------------------------------------------------------------------
    def firing(self, source: AlertSource | None = None) -> list[Alert]:
        """Those that fire, the newest first; at most 500."""
        query = select(alert).where(_FIRES).order_by(alert.c.id.desc()).limit(MOST_SHOWN)
        with self.database.read() as tx:
            return [_alert(row) for row in tx.execute(query if source is None else query.where(alert.c.source == source.value))]

    def apply(
        self, begin: Collection[AlertKind], end: Collection[AlertKind], readings: Mapping[AlertKind, AlertReading], now: datetime
    ) -> None:
        """Store what fires and what ended. What fires already is not stored again."""
        with self.database.write(durable=True) as tx:
            known = set(tx.scalars(select(alert.c.name).where(_FIRES, alert.c.source == AlertSource.SERVER.value)))
            for kind in sorted(begin):
                if kind not in known:
                    _begin(tx, AlertSource.SERVER, kind, kind, FACTS[kind].severity, readings[kind].number, now, now)
            for kind, reading in readings.items():
                if kind in known and reading.active:
                    mine = and_(_FIRES, alert.c.source == AlertSource.SERVER.value, alert.c.name == kind)
                    tx.execute(update(alert).where(mine).values(seen_at=now, number=min(reading.number, _MOST_NUMBER)))
            if end:
                mine = and_(_FIRES, alert.c.source == AlertSource.SERVER.value, alert.c.name.in_(sorted(end)))
                tx.execute(update(alert).where(mine).values(ended_at=now))

    def was_away(self, since: datetime, now: datetime) -> None:
        """Store that the database was away until now."""
        kind, seconds = AlertKind.DATABASE_UNREACHABLE, int((now - since).total_seconds())
        with self.database.write(durable=True) as tx:
            made = _begin(tx, AlertSource.SERVER, kind, kind, FACTS[kind].severity, seconds, since, now)
            tx.execute(update(alert).where(alert.c.id == made).values(ended_at=now))

    def tell(self, ways: Collection[str], remind: timedelta | None, now: datetime) -> None:
        """Store the messages that are due: about what fires or ended, unless it is silenced, each once for each way."""
        with self.database.write(durable=True) as tx:
            if ways:
                _tell_due(tx, ways, remind, now)
            forgotten = and_(_FIRES, alert.c.source == AlertSource.PROMETHEUS.value, alert.c.seen_at < now - PROMETHEUS_SILENT)
            tx.execute(update(alert).where(forgotten).values(ended_at=now))
            tx.execute(delete(alert).where(alert.c.ended_at < now - KEPT))
            tx.execute(delete(alert_silence).where(alert_silence.c.until < now - KEPT))

    def work(self) -> Work:
        waits = job.c.state == JobState.QUEUED
        over = job.c.state.in_((JobState.DONE, JobState.FAILED, JobState.QUARANTINED))
        with self.database.read() as tx:
            waiting, oldest = tx.execute(select(func.count(), func.min(job.c.changed_at)).where(waits)).one()
            finished = tx.scalar(select(func.max(job.c.changed_at)).where(over))
        return Work(waiting, oldest, finished)

    def began_at(self) -> datetime | None:
        """Return the time of the record's first entry: since when there is something to lose."""
        with self.database.read() as tx:
            return tx.scalar(select(audit.c.at).order_by(audit.c.id).limit(1))

    def failed_sign_ins(self, since: datetime) -> int:
        newest = select(audit.c.at, audit.c.action, audit.c.number).order_by(audit.c.id.desc()).limit(_MOST_ENTRIES).subquery()
        failed = select(func.sum(newest.c.number)).where(newest.c.action == _SIGN_IN_FAILED, newest.c.at >= since)
        with self.database.read() as tx:
            return tx.scalar(failed) or 0

    # -- the page ----------------------------------------------------------------------------------------------------------------
    def alert(self, alert_id: int) -> Alert:
        """Raises NotFound."""
        with self.database.read() as tx:
            row = tx.execute(select(alert).where(alert.c.id == alert_id)).first()
        if row is None:
            raise NotFound
        return _alert(row)

    def ended(self, before: int | None, limit: int) -> list[Alert]:
        """Those that ended, the newest first."""
        query = select(alert).where(alert.c.ended_at.is_not(None)).order_by(alert.c.id.desc()).limit(limit)
        with self.database.read() as tx:
            return [_alert(row) for row in tx.execute(query if before is None else query.where(alert.c.id < before))]

    def event_of(self, message_id: int) -> AlertEvent:
        with self.database.read() as tx:
            return AlertEvent(tx.execute(select(alert_message.c.event).where(alert_message.c.id == message_id)).scalar_one())

    def silences(self, now: datetime) -> list[Silence]:
        """Those in force, the first to end first."""
        with self.database.read() as tx:
            rows = tx.execute(select(alert_silence).where(_is_silent(now)).order_by(alert_silence.c.until, alert_silence.c.id))
            return [_silence(row) for row in rows]

    def silence(self, name: str, reason: SilenceReason, until: datetime, now: datetime) -> Silence:
        """Send no messages about alerts of that name until then. It is on the record."""
        with self.database.write(durable=True) as tx:
            values = {"name": name, "reason": reason.value, "until": until, "made_at": now, "made_by": actor.get()}
            made = add(tx, alert_silence, values)
            audit_log.add(tx, "alert_silenced", None, max(1, int((until - now).total_seconds() // 60)), now, detail=name)
            return _silence_there(tx, made)

    def unsilence(self, silence_id: int, now: datetime) -> Silence:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            before = _silence_there(tx, silence_id)
            if before.ended_at is None and before.until > now:
                tx.execute(update(alert_silence).where(alert_silence.c.id == silence_id).values(ended_at=now))
                audit_log.add(tx, "alert_unsilenced", None, 1, now, detail=before.name)
            return _silence_there(tx, silence_id)

    def heard_names(self) -> list[str]:
        """Return the names that alerts of Prometheus have or had here."""
        with self.database.read() as tx:
            return list(tx.scalars(select(alert.c.name).where(alert.c.source == AlertSource.PROMETHEUS.value).distinct()))

    # -- Prometheus --------------------------------------------------------------------------------------------------------------
    def receive(self, told: Sequence[ReceivedAlert], now: datetime) -> None:
        """Store what Alertmanager tells; an alert that fires already is only seen again."""
        with self.database.write(durable=True) as tx:
            rows = tx.execute(select(alert.c.key, alert.c.id).where(_FIRES, alert.c.source == AlertSource.PROMETHEUS.value))
            known = {row.key: row.id for row in rows}
            for each in told:
                if each.key in known:
                    change = {"seen_at": now} if each.firing else {"seen_at": now, "ended_at": now}
                    tx.execute(update(alert).where(alert.c.id == known[each.key]).values(**change))
                    if not each.firing:
                        del known[each.key]
                elif each.firing and len(known) < MOST_SHOWN:
                    known[each.key] = _begin(tx, AlertSource.PROMETHEUS, each.name, each.key, each.severity, 0, each.began_at, now)


def _begin(
    tx: Connection, source: AlertSource, name: str, key: str, severity: Severity, number: int, began: datetime, now: datetime
) -> int:
    values = {"source": source.value, "name": str(name), "key": str(key), "severity": severity.value, "began_at": began, "seen_at": now}
    made = add(tx, alert, values | {"number": min(number, _MOST_NUMBER)})
    with acting_as(HERE):
        audit_log.add(tx, "alert_fired", None, max(1, min(number, _MOST_NUMBER)), now, detail=str(name))
    return made


def _tell_due(tx: Connection, ways: Collection[str], remind: timedelta | None, now: datetime) -> None:
    silenced = set(tx.scalars(select(alert_silence.c.name).where(_is_silent(now))))
    mine = alert.c.source == AlertSource.SERVER.value
    for row in tx.execute(select(alert).where(_FIRES, mine)).all():
        if row.name in silenced:
            continue
        if row.told_at is None:
            _tell(tx, row.id, AlertEvent.FIRING, ways, now)
        elif remind is not None and (now - row.told_at >= remind or is_future(row.told_at, now)):
            _tell(tx, row.id, AlertEvent.REMINDER, ways, now)
    # An end is told once: `told_at` is not before `ended_at` then. That the database was away is only told when it is over.
    away = and_(alert.c.told_at.is_(None), alert.c.name == AlertKind.DATABASE_UNREACHABLE.value, alert.c.ended_at > now - _NEWS)
    by_a_wrong_clock = and_(alert.c.told_at > now + SLACK, alert.c.ended_at <= now + SLACK)
    for row in tx.execute(select(alert).where(mine, or_(alert.c.told_at < alert.c.ended_at, by_a_wrong_clock, away))).all():
        waits = and_(alert_message.c.alert_id == row.id, alert_message.c.due_at.is_not(None))
        tx.execute(update(alert_message).where(waits).values(due_at=None))  # its end says all of it
        _tell(tx, row.id, AlertEvent.RESOLVED, () if row.name in silenced else ways, now)


def _tell(tx: Connection, alert_id: int, event: AlertEvent, ways: Collection[str], now: datetime) -> None:
    for way in ways:
        add(tx, alert_message, {"alert_id": alert_id, "event": event.value, "way": way, "attempts": 0, "due_at": now})
    tx.execute(update(alert).where(alert.c.id == alert_id).values(told_at=now))


def _is_silent(now: datetime) -> Any:
    return and_(alert_silence.c.until > now, alert_silence.c.ended_at.is_(None))


def _silence_there(tx: Connection, silence_id: int) -> Silence:
    row = tx.execute(select(alert_silence).where(alert_silence.c.id == silence_id)).first()
    if row is None:
        raise NotFound
    return _silence(row)


def _alert(row: Row[*tuple[Any, ...]]) -> Alert:
    values = {name: row._mapping[name] for name in Alert.__dataclass_fields__}
    return Alert(**values | {"source": AlertSource(row.source), "severity": Severity(row.severity)})


def _silence(row: Row[*tuple[Any, ...]]) -> Silence:
    values = {name: row._mapping[name] for name in Silence.__dataclass_fields__}
    return Silence(**values | {"reason": SilenceReason(row.reason)})
