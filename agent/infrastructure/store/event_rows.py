"""Events in the library: appended in the transaction that they describe, readable from any id until they
are old: a page that was away for so long reads everything anew.

On a server each names the database connection pool that wrote it, its origin, and its transaction tells all processes that listen.
"""

import dataclasses
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from agent.domain.events import EVENT_NAMES, Event, StoredEvent
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import event as table

CHANNEL = "library_event"
ORIGIN = "origin"  # an option of connections, and a key of payloads
_TELL = text(f"SELECT pg_notify('{CHANNEL}', '')")
_KINDS: dict[str, Callable[..., Event]] = {name: kind for kind, name in EVENT_NAMES.items()}


def record(tx: Connection, happened: Event, now: datetime) -> StoredEvent:
    """Append one event."""
    payload = {"kind": EVENT_NAMES[type(happened)], **dataclasses.asdict(happened)}
    if (origin := tx.get_execution_options().get(ORIGIN)) is not None:
        payload[ORIGIN] = origin
        tx.execute(_TELL)  # several in one transaction arrive as one
    event_id = add(tx, table, {"at": now, "payload": payload})
    return StoredEvent(event_id, now, happened)


def read(tx: Connection, *, after: int, limit: int) -> list[StoredEvent]:
    rows = tx.execute(select(table.c.id, table.c.at, table.c.payload).where(table.c.id > after).order_by(table.c.id).limit(limit))
    return [StoredEvent(row.id, row.at, _decode(dict(row.payload))) for row in rows]


def read_from_elsewhere(tx: Connection, *, after: int, limit: int) -> tuple[int, list[StoredEvent]]:
    """Return the events that other processes recorded, of the next `limit`, and the last id that was looked at."""
    rows = tx.execute(select(table.c.id, table.c.at, table.c.payload).where(table.c.id > after).order_by(table.c.id).limit(limit)).all()
    own = tx.get_execution_options().get(ORIGIN)
    others = [StoredEvent(row.id, row.at, _decode(dict(row.payload))) for row in rows if row.payload.get(ORIGIN) != own]
    return rows[-1].id if rows else after, others


def last_id(tx: Connection) -> int:
    return tx.scalar(select(func.max(table.c.id))) or 0


def expire(tx: Connection, before: datetime, most: int) -> int:
    """Delete events of before that moment among the oldest `most`, never the newest event; returns how many."""
    oldest = tx.execute(select(table.c.id, table.c.at).order_by(table.c.id).limit(most)).all()
    newest = last_id(tx)
    old = [row.id for row in oldest if row.at < before and row.id != newest]
    tx.execute(delete(table).where(table.c.id.in_(old)))
    return len(old)


def _decode(payload: dict[str, object]) -> Event:
    payload.pop(ORIGIN, None)
    return _KINDS[str(payload.pop("kind"))](**payload)
