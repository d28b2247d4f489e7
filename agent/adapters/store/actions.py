"""What the user does with images: hides them, shows them again, has them looked at again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, func, select, update

from agent.adapters.store import events, jobs
from agent.adapters.store.facts import chunks, moment
from agent.adapters.store.journal import Journal
from agent.adapters.store.schema import image, place
from agent.domain.events import ImagesHidden, Recorded
from agent.domain.jobs import Priority


def set_hidden(tx: Connection, image_ids: Sequence[int], hidden: bool, now: datetime) -> tuple[str | None, list[Recorded]]:
    step = Journal(tx)
    shown = [each for chunk in chunks(image_ids) for each in tx.scalars(_now(chunk, hidden=not hidden))]
    changed = step.set("hidden", shown, moment(now) if hidden else None)
    done = step.close("hide" if hidden else "unhide", len(changed), now)
    return done.token, [events.record(tx, ImagesHidden(count=len(changed), hidden=hidden), now)] if changed else []


def look_again(tx: Connection, image_ids: Sequence[int], now: datetime) -> int:
    count = 0
    for chunk in chunks(image_ids):
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


def _now(image_ids: Sequence[int], *, hidden: bool) -> Select[int]:
    """Those that are hidden, or not."""
    is_so = image.c.hidden_at.is_not(None) if hidden else image.c.hidden_at.is_(None)
    return select(image.c.id).where(image.c.id.in_(image_ids), is_so)
