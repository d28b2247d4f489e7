"""What the user does with images: hides them, shows them again, has them looked at again; and takes it back."""

import secrets
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.adapters.store import events, jobs
from agent.adapters.store.schema import image, place
from agent.adapters.store.schema import undo as table
from agent.domain.events import ImagesHidden, Recorded
from agent.domain.jobs import Priority

# So many actions can be taken back.
KEPT = 100
_HIDE, _UNHIDE = "hide", "unhide"
_CHUNK = 500  # ids in one statement


def set_hidden(tx: Connection, image_ids: Sequence[int], hidden: bool, now: datetime) -> tuple[str | None, list[Recorded]]:
    changed = _set_hidden(tx, image_ids, hidden, now)
    if not changed:
        return None, []
    token = secrets.token_urlsafe(16)
    tx.execute(insert(table).values(token=token, action=_HIDE if hidden else _UNHIDE, image_ids=changed))
    tx.execute(delete(table).where(table.c.id <= select(func.max(table.c.id) - KEPT).scalar_subquery()))
    return token, [_recorded(tx, changed, hidden, now)]


def undo(tx: Connection, token: str, now: datetime) -> list[Recorded] | None:
    done = tx.execute(select(table).where(table.c.token == token)).one_or_none()
    if done is None:
        return None
    tx.execute(delete(table).where(table.c.id == done.id))
    hidden = done.action == _UNHIDE
    changed = _set_hidden(tx, done.image_ids, hidden, now)
    return [_recorded(tx, changed, hidden, now)] if changed else []


def look_again(tx: Connection, image_ids: Sequence[int], now: datetime) -> int:
    count = 0
    for chunk in _chunks(image_ids):
        # One place of each image is enough.
        found = tx.execute(
            select(place.c.image_id, func.min(place.c.id).label("place_id"))
            .where(place.c.image_id.in_(chunk), place.c.missing_since.is_(None))
            .group_by(place.c.image_id)
        ).all()
        tx.execute(update(image).where(image.c.id.in_([row.image_id for row in found])).values(detector=jobs.NO_ANALYSIS))
        for row in found:
            jobs.queue(tx, row.place_id, Priority.ASKED, now)
        count += len(found)
    return count


def _set_hidden(tx: Connection, image_ids: Sequence[int], hidden: bool, now: datetime) -> list[int]:
    """Returns the ids of those that were not so before."""
    changed: list[int] = []
    for chunk in _chunks(image_ids):
        other = image.c.hidden_at.is_(None) if hidden else image.c.hidden_at.is_not(None)
        ids = tx.scalars(select(image.c.id).where(image.c.id.in_(chunk), other)).all()
        tx.execute(update(image).where(image.c.id.in_(ids)).values(hidden_at=now if hidden else None))
        changed += ids
    return changed


def _recorded(tx: Connection, changed: Sequence[int], hidden: bool, now: datetime) -> Recorded:
    return events.record(tx, ImagesHidden(count=len(changed), hidden=hidden), now)


def _chunks(image_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (image_ids[start : start + _CHUNK] for start in range(0, len(image_ids), _CHUNK))
