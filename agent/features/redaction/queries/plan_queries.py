"""Plans of covered copies: a new batch, a resumed one, and additions to a folder's batch, whose photos have no copy yet."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, exists, insert, not_, or_, select, update

from agent.domain.video import is_clip
from agent.features.redaction.copy_records import MADE, ItemState, PlannedCopy, RedactionItem
from agent.features.redaction.options import RedactionOptions
from agent.features.redaction.queries.batch_queries import WISH, items, latest, shown
from agent.infrastructure.core.actor import actor
from agent.infrastructure.core.request_id import current_id
from agent.infrastructure.store import audit_libraries
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import image, job, place
from agent.infrastructure.store.schema import redaction as batch
from agent.infrastructure.store.schema import redaction_item as item

# The states that an interrupted or stopped request leaves.
_LEFT: Final = (ItemState.PLANNED, ItemState.STOPPED)
_FRESH: Final = {
    "sha256": None,
    "copy_sha256": None,
    "facts": None,
    "doubts": 0,
    "edited": 0,
    "passed": 0,
    "error_code": None,
    "error_params": None,
}


class PlanQueries(Queries):
    def copies_begun(self, wish: RedactionOptions) -> list[RedactionItem]:
        """Return items that requests left planned, or stopped, of copies with these options, oldest batch first.

        Batches of watched folders are not requests.
        """
        with self.database.read() as tx:
            chosen = items().where(item.c.state.in_(_LEFT), batch.c.folder.is_(None)).order_by(item.c.redaction_id, item.c.id)
            return [each for row in tx.execute(chosen) if (each := shown(row)).wish.made == wish.made]

    def plan_copies(self, uid: str, wish: RedactionOptions, copies: Sequence[PlannedCopy], *, now: datetime) -> list[int]:
        """Create the batch, or resume it if it exists, and return the ids of the items of these copies.

        Items that earlier requests left planned are moved here; a failed item is planned again. Committed to disk when this returns.
        """
        with self.database.write(durable=True) as tx:
            batch_id = _id(tx, uid)
            if batch_id is None:
                batch_id = add(tx, batch, {"uid": uid, "at": now, "wish": WISH.dump_python(wish, mode="json"), "made_by": actor.get()})
            if wish.choice.consented:
                groups = audit_libraries.of_files(tx, [each.source for each in copies])
                audit_libraries.add_for_each(tx, "publishing", None, groups, len(copies), now, detail=uid)
            left = _take_over(tx, batch_id, copies, now)
            left = _pass_over(tx, batch_id, left)
            _drop(tx, batch_id, left)
            _put(tx, batch_id, left, now)
            wanted = {each.source for each in copies}
            rows = tx.execute(select(item.c.id, item.c.source).where(item.c.redaction_id == batch_id))
            return [row.id for row in rows if row.source in wanted]

    def plan_more(self, uid: str, copies: Sequence[PlannedCopy], *, now: datetime) -> None:
        """Add to a batch. Existing items of the same source are planned again. A deleted batch stays deleted."""
        with self.database.write() as tx:
            batch_id = _id(tx, uid)
            if batch_id is not None:
                _drop(tx, batch_id, copies)
                _put(tx, batch_id, copies, now)

    def uncopied(self, uid: str, *, places: Collection[int] | None = None, limit: int = 1000) -> list[str]:
        """Return photos and videos that appeared or changed in the batch's folder since its creation, without a copy yet.

        Limited to those locations, if given. Copies made by this program are not included.
        """
        with self.database.read() as tx:
            photos = [str(path) for path in tx.scalars(_uncopied_photos(uid, places).limit(limit))]
            # Paths may be invalid text, so SQL can't decide: non-videos here are photos whose problem the user dismissed.
            clips = (str(path) for path in tx.scalars(_uncopied_clips(uid, places)) if is_clip(path))
            return [*photos, *islice(clips, limit - len(photos))]


def _take_over(tx: Connection, batch_id: int, copies: Sequence[PlannedCopy], now: datetime) -> list[PlannedCopy]:
    """Move items that earlier requests left planned to this batch. Return the copies without one."""
    ids = [each_id for copy in copies for each_id in copy.begun]
    if not ids:
        return list(copies)
    known = {row.id: row for part in chunks(ids) for row in tx.execute(select(item).where(item.c.id.in_(part)))}
    left = []
    for copy in copies:
        first = next((known[each] for each in copy.begun if each in known), None)
        if first is None:  # stopped meanwhile
            left.append(copy)
            continue
        spare = [each for each in copy.begun if each != first.id]
        tx.execute(delete(item).where(item.c.id.in_(spare), item.c.state.in_(_LEFT)))
        mine = item.c.redaction_id == batch_id
        tx.execute(delete(item).where(mine, item.c.source == copy.source, item.c.id != first.id))
        again = _FRESH | {"state": ItemState.PLANNED, "changed_at": now} if first.state in (ItemState.FAILED, ItemState.STOPPED) else {}
        tx.execute(update(item).where(item.c.id == first.id).values(redaction_id=batch_id, request_id=current_id(), **again))
    _forget_empty(tx, {row.redaction_id for row in known.values()} - {batch_id})
    return left


def _pass_over(tx: Connection, batch_id: int, copies: Sequence[PlannedCopy]) -> list[PlannedCopy]:
    """Mark copies that this batch made before it was interrupted. Return the other copies."""
    made = select(item.c.id, item.c.source, item.c.target).where(item.c.redaction_id == batch_id, item.c.state.in_(MADE))
    known = {(row.source, row.target): row.id for row in tx.execute(made)}
    passed = [known.get((each.source, each.target)) if each.there is not None else None for each in copies]
    for part in chunks([each for each in passed if each is not None]):
        tx.execute(update(item).where(item.c.id.in_(part)).values(passed=1))
    return [each for each, item_id in zip(copies, passed, strict=True) if item_id is None]


def _drop(tx: Connection, batch_id: int, copies: Sequence[PlannedCopy]) -> None:
    """Remove the batch's items of the same sources: they are planned again."""
    for part in chunks(copies):
        tx.execute(delete(item).where(item.c.redaction_id == batch_id, item.c.source.in_([each.source for each in part])))


def _put(tx: Connection, batch_id: int, copies: Sequence[PlannedCopy], now: datetime) -> None:
    rows: list[dict[str, Any]] = []
    for each in copies:
        row = {"redaction_id": batch_id, "source": each.source, "target": each.target, "format": each.format, "changed_at": now}
        row["request_id"] = current_id()
        before = None if each.there is None else latest(tx, each.target)
        if before is None:
            rows.append(row | _FRESH | {"state": ItemState.PLANNED})
        else:
            kept = {"sha256": before.sha256, "copy_sha256": before.copy_sha256, "facts": before.facts, "doubts": before.doubts}
            rows.append(row | _FRESH | kept | {"state": before.state, "passed": 1})
    if rows:
        tx.execute(insert(item), rows)


def _forget_empty(tx: Connection, batch_ids: Iterable[int]) -> None:
    """Delete batches whose items all moved elsewhere."""
    for part in chunks(sorted(batch_ids)):
        has_items = exists().where(item.c.redaction_id == batch.c.id)
        tx.execute(delete(batch).where(batch.c.id.in_(part), batch.c.folder.is_(None), not_(has_items)))


def _id(tx: Connection, uid: str) -> int | None:
    return tx.scalar(select(batch.c.id).where(batch.c.uid == uid))


def _uncopied_photos(uid: str, places: Collection[int] | None) -> "Select[Any]":
    other = item.alias()
    has_copy = exists().where(
        item.c.redaction_id == batch.c.id,
        item.c.source == place.c.path,
        # A planned one uses the content at that time; a failed one is retried when the file changes.
        or_(
            item.c.sha256 == image.c.sha256,
            item.c.state == ItemState.PLANNED,
            and_(item.c.state == ItemState.FAILED, item.c.changed_at >= place.c.noted_at),
        ),
    )
    own = exists().where(other.c.copy_sha256 == image.c.sha256)
    return _come_since(uid, places).join(image, image.c.id == place.c.image_id).where(not_(has_copy), not_(own))


def _uncopied_clips(uid: str, places: Collection[int] | None) -> "Select[Any]":
    """Also select some photos. A video's content is not analysed: `files.note_clip` drops its copy on a change, and ours go by location."""
    other = item.alias()
    has_copy = exists().where(item.c.redaction_id == batch.c.id, item.c.source == place.c.path, item.c.state != ItemState.STOPPED)
    own = exists().where(other.c.target == place.c.path, other.c.sha256.is_not(None))
    waits = exists().where(job.c.place_id == place.c.id)
    return _come_since(uid, places).where(place.c.image_id.is_(None), not_(waits), not_(has_copy), not_(own))


def _come_since(uid: str, places: Collection[int] | None) -> "Select[Any]":
    """Select paths of files that appeared or changed in a batch's folder since its creation."""
    chosen = (
        select(place.c.path)
        .select_from(batch)
        .join(place, place.c.folder == batch.c.folder)
        .where(batch.c.uid == uid, place.c.missing_since.is_(None), place.c.noted_at >= batch.c.at)
        .order_by(place.c.id)
    )
    return chosen if places is None else chosen.where(place.c.id.in_(sorted(places)))
