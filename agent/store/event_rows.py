"""Events in the library: appended in the transaction that they describe, readable from any id."""

import dataclasses
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, func, select

from agent.domain.events import (
    Event,
    FavouritesChanged,
    ImageFailed,
    ImageIndexed,
    ImagesHidden,
    PeopleChanged,
    PersonNamed,
    PlaceAdded,
    PlaceLost,
    PlaceMoved,
    RecognitionPurged,
    Recorded,
)
from agent.store.rows import add
from agent.store.schema import event as table

_NAMES: dict[type[Event], str] = {
    ImageIndexed: "image_indexed",
    PlaceAdded: "place_added",
    PlaceMoved: "place_moved",
    PlaceLost: "place_lost",
    ImageFailed: "image_failed",
    ImagesHidden: "images_hidden",
    FavouritesChanged: "favourites_changed",
    PersonNamed: "person_named",
    PeopleChanged: "people_changed",
    RecognitionPurged: "recognition_purged",
}
_KINDS: dict[str, Callable[..., Event]] = {name: kind for kind, name in _NAMES.items()}


def record(tx: Connection, happened: Event, now: datetime) -> Recorded:
    """Append one event."""
    payload = {"kind": _NAMES[type(happened)], **dataclasses.asdict(happened)}
    event_id = add(tx, table, {"at": now, "payload": payload})
    return Recorded(event_id, now, happened)


def read(tx: Connection, *, after: int, limit: int) -> list[Recorded]:
    rows = tx.execute(select(table.c.id, table.c.at, table.c.payload).where(table.c.id > after).order_by(table.c.id).limit(limit))
    return [Recorded(row.id, row.at, _decode(dict(row.payload))) for row in rows]


def last_id(tx: Connection) -> int:
    return tx.scalar(select(func.max(table.c.id))) or 0


def _decode(payload: dict[str, object]) -> Event:
    return _KINDS[str(payload.pop("kind"))](**payload)
