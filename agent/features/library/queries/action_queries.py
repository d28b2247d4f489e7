"""The user's actions on images: hiding, favourites, scanning again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, func, select, update

from agent.domain.events import FavouritesChanged, ImagesHidden, StoredEvent
from agent.domain.jobs import Priority
from agent.features.library.queries import job_queries
from agent.infrastructure.store import event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import image, place
from agent.infrastructure.store.undo_log import Journal


class ActionQueries(Queries):
    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, list[StoredEvent]]:
        """Hide or show images. Return an undo token (None if nothing changed), and the events."""
        with self.database.write(durable=True) as tx:
            token, count = _mark(tx, "hidden", image_ids, hidden, "hide" if hidden else "unhide", now)
            return token, [event_rows.record(tx, ImagesHidden(count=count, hidden=hidden), now)] if count else []

    def set_favourite(self, image_ids: Sequence[int], favourite: bool, *, now: datetime) -> tuple[str | None, list[StoredEvent]]:
        """Mark or unmark favourites. Return the same as `set_hidden`."""
        with self.database.write(durable=True) as tx:
            token, count = _mark(tx, "favourite", image_ids, favourite, "favourite" if favourite else "unfavourite", now)
            return token, [event_rows.record(tx, FavouritesChanged(count=count, favourite=favourite), now)] if count else []

    def rescan(self, image_ids: Sequence[int], *, now: datetime) -> int:
        """Queue images for a new analysis, whatever the old one used. Return how many have a file."""
        with self.database.write() as tx:
            return rescan(tx, image_ids, now)


def _mark(tx: Connection, fact: str, image_ids: Sequence[int], is_so: bool, action: str, now: datetime) -> tuple[str | None, int]:
    """Return the undo token, and the number of changed images: unchanged ones keep their time."""
    step = Journal(tx)
    others = [each for chunk in chunks(image_ids) for each in tx.scalars(_marked(fact, chunk, not is_so))]
    changed = step.set(fact, others, moment(now) if is_so else None)
    return step.close(action, len(changed), now).token, len(changed)


def rescan(tx: Connection, image_ids: Sequence[int], now: datetime) -> int:
    count = 0
    for chunk in chunks(image_ids):
        # One location of each image is enough.
        found = tx.execute(
            select(place.c.image_id, func.min(place.c.id).label("place_id"))
            .where(place.c.image_id.in_(chunk), place.c.missing_since.is_(None), place.c.source.not_in(job_queries.WITHOUT_FILE))
            .group_by(place.c.image_id)
        ).all()
        tx.execute(update(image).where(image.c.id.in_([row.image_id for row in found])).values(detector=job_queries.NO_ANALYSIS))
        for row in found:
            job_queries.queue(tx, row.place_id, Priority.ASKED, now)
        count += len(found)
    return count


def _marked(fact: str, image_ids: Sequence[int], is_so: bool) -> Select[int]:
    since = image.c[f"{fact}_at"]
    return select(image.c.id).where(image.c.id.in_(image_ids), since.is_not(None) if is_so else since.is_(None))
