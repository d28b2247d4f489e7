"""Requested covered copies: batches, their items, and results."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, and_, case, delete, exists, func, not_, or_, select, update

from agent.domain.errors import AgentError, from_code
from agent.domain.video import is_clip
from agent.redaction.copy_records import MADE, CopyFacts, ItemState, Made, RedactionBatch, RedactionItem, RedactionPage
from agent.redaction.options import Doubtful, Mark, Wish
from agent.store.facts import chunks
from agent.store.rows import add
from agent.store.schema import image, job, place
from agent.store.schema import redaction as batch
from agent.store.schema import redaction_item as item

WISH = TypeAdapter(Wish)
_FACTS = TypeAdapter(CopyFacts)
_IS_MADE = item.c.state.in_(MADE)


def of_folder(tx: Connection, folder: str, wish: Wish, uid: str, now: datetime) -> str:
    known = tx.scalar(select(batch.c.uid).where(batch.c.folder == folder))
    as_wished = WISH.dump_python(wish, mode="json")
    if known is None:
        add(tx, batch, {"uid": uid, "at": now, "folder": folder, "wish": as_wished})
        return uid
    tx.execute(update(batch).where(batch.c.uid == known).values(wish=as_wished))
    return str(known)


def uncopied(tx: Connection, uid: str, places: Collection[int] | None, limit: int) -> list[str]:
    photos = [str(path) for path in tx.scalars(_uncopied_photos(uid, places).limit(limit))]
    # Paths may be invalid text, so SQL can't decide: non-videos here are photos whose problem the user dismissed.
    clips = (str(path) for path in tx.scalars(_uncopied_clips(uid, places)) if is_clip(path))
    return [*photos, *islice(clips, limit - len(photos))]


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


def to_make(tx: Connection, limit: int, without: Collection[int], clips: bool) -> list[RedactionItem]:
    chosen = items().where(item.c.state == ItemState.PLANNED)
    chosen = chosen.order_by(batch.c.folder.is_not(None), item.c.redaction_id, item.c.id)
    rows = tx.execute(chosen.limit(limit + len(without)) if clips else chosen)  # paths may be invalid text, so they are not searched in SQL
    left = (row for row in rows if row.id not in without and (clips or not is_clip(row.source)))
    return [shown(row) for row in islice(left, limit)]


def about_to_place(tx: Connection, item_id: int, facts: CopyFacts, now: datetime) -> bool:
    planned = update(item).where(item.c.id == item_id, item.c.state == ItemState.PLANNED)
    return tx.execute(planned.values(changed_at=now, doubts=_weight(facts), **_facts(facts))).rowcount > 0


def made(tx: Connection, item_id: int, target: str, review: bool, now: datetime) -> None:
    state = ItemState.NEEDS_REVIEW if review else ItemState.DONE
    _change(tx, item_id, now, state=state, target=target, error_code=None, error_params=None)


def failed(tx: Connection, item_id: int, error: AgentError, now: datetime) -> None:
    _change(tx, item_id, now, state=ItemState.FAILED, error_code=error.code, error_params=error.params)


def edited(tx: Connection, item_id: int, marks: Sequence[Mark], now: datetime) -> RedactionItem | None:
    known = one(tx, item_id)
    if known is None or known.state not in MADE or known.facts is None:
        return None
    before = replace(known.facts, before=None)
    facts = _FACTS.dump_python(replace(before, marks=tuple(marks), replaces=None, before=before), mode="json")
    _change(tx, item_id, now, state=ItemState.PLANNED, edited=1, passed=0, facts=facts)
    return one(tx, item_id)


def accepted(tx: Connection, uid: str, item_ids: Sequence[int] | None, now: datetime) -> int:
    chosen = and_(item.c.redaction_id == _id_of(uid), item.c.state == ItemState.NEEDS_REVIEW)
    change = update(item).values(state=ItemState.DONE, changed_at=now)
    if item_ids is None:
        return tx.execute(change.where(chosen)).rowcount
    return sum(tx.execute(change.where(chosen, item.c.id.in_(part))).rowcount for part in chunks(item_ids))


def stop(tx: Connection, uid: str) -> int:
    for row in tx.execute(items().where(batch.c.uid == uid, item.c.state == ItemState.PLANNED, item.c.edited == 1)).all():
        # An edited item has its earlier copy: with the new marks it would be shown with covers that are not in it.
        known = _FACTS.validate_python(row.facts)
        if known.replaces is None:  # otherwise the new copy may be in place already, which its maker checks
            tx.execute(update(item).where(item.c.id == row.id).values(state=ItemState.NEEDS_REVIEW, **_facts(known.before or known)))
    planned = update(item).where(item.c.redaction_id == _id_of(uid), item.c.state == ItemState.PLANNED, item.c.edited == 0)
    return tx.execute(planned.values(state=ItemState.STOPPED)).rowcount


def retry(tx: Connection, uid: str, now: datetime) -> int:
    change = update(item).where(item.c.redaction_id == _id_of(uid), item.c.state.in_((ItemState.FAILED, ItemState.STOPPED)))
    return tx.execute(change.values(state=ItemState.PLANNED, error_code=None, error_params=None, changed_at=now)).rowcount


def made_at(tx: Connection, target: str) -> Made | None:
    row = latest(tx, target)
    return None if row is None else Made(row.sha256, row.copy_sha256, WISH.validate_python(row.wish))


def one(tx: Connection, item_id: int) -> RedactionItem | None:
    row = tx.execute(items().where(item.c.id == item_id)).one_or_none()
    return None if row is None else shown(row)


def page(tx: Connection, uid: str, limit: int, offset: int) -> RedactionPage:
    mine = item.c.redaction_id == _id_of(uid)
    first = case((item.c.state == ItemState.NEEDS_REVIEW, 0), (item.c.state == ItemState.FAILED, 1), else_=2)
    rows = tx.execute(items().where(mine).order_by(first, item.c.doubts.desc(), item.c.id).limit(limit).offset(offset))
    return RedactionPage(tuple(shown(row) for row in rows), tx.scalar(select(func.count()).select_from(item).where(mine)) or 0)


def ended(tx: Connection, uid: str, after: int, limit: int) -> list[RedactionItem]:
    chosen = items().where(item.c.redaction_id == _id_of(uid), item.c.state != ItemState.PLANNED, item.c.id > after)
    return [shown(row) for row in tx.execute(chosen.order_by(item.c.id).limit(limit))]


def batches(tx: Connection, *, limit: int, offset: int = 0, uid: str | None = None) -> list[RedactionBatch]:
    chosen = select(batch).order_by(batch.c.id.desc()).limit(limit).offset(offset)
    rows = tx.execute(chosen if uid is None else chosen.where(batch.c.uid == uid)).all()
    counted = select(item.c.redaction_id, item.c.state, func.count()).where(item.c.redaction_id.in_([row.id for row in rows]))
    counts: dict[int, dict[ItemState, int]] = {row.id: dict.fromkeys(ItemState, 0) for row in rows}
    for batch_id, state, number in tx.execute(counted.group_by(item.c.redaction_id, item.c.state)):
        counts[batch_id][ItemState(state)] = number
    places = select(item.c.redaction_id, func.min(item.c.target).label("first"), func.max(item.c.target).label("last"))
    places = places.where(item.c.redaction_id.in_(list(counts))).group_by(item.c.redaction_id)
    outs = {row.redaction_id: _common(row.first, row.last) for row in tx.execute(places)}
    made = select(item.c.redaction_id, func.min(item.c.id)).where(item.c.redaction_id.in_(list(counts)), _IS_MADE)
    samples = {batch_id: item_id for batch_id, item_id in tx.execute(made.group_by(item.c.redaction_id))}
    return [
        RedactionBatch(row.uid, row.at, row.folder, counts[row.id], WISH.validate_python(row.wish), outs.get(row.id), samples.get(row.id))
        for row in rows
    ]


def _common(first: str, last: str) -> str | None:
    """Return the folder that contains all paths from the first to the last one in their order."""
    with suppress(ValueError):  # on several drives
        return os.path.commonpath([os.path.dirname(first), os.path.dirname(last)])  # noqa: PTH120
    return None


def expire(tx: Connection, before: datetime, folders: Collection[str]) -> int:
    planned = exists().where(item.c.redaction_id == batch.c.id, item.c.state == ItemState.PLANNED)
    old = delete(batch).where(batch.c.folder.is_(None), batch.c.at < before, not_(planned))
    left = delete(batch).where(batch.c.folder.is_not(None), batch.c.folder.not_in(sorted(folders)))
    return tx.execute(old).rowcount + tx.execute(left).rowcount


def latest(tx: Connection, target: str) -> "Row[Any] | None":
    return tx.execute(items().where(item.c.target == target, _IS_MADE).order_by(item.c.id.desc()).limit(1)).one_or_none()


def items() -> "Select[Any]":
    return select(item, batch.c.uid, batch.c.folder, batch.c.wish).join(batch)


def shown(row: "Row[Any]") -> RedactionItem:
    return RedactionItem(
        id=row.id,
        batch=row.uid,
        wish=WISH.validate_python(row.wish),
        source=row.source,
        target=row.target,
        format=row.format,
        state=ItemState(row.state),
        at=row.changed_at,
        facts=None if row.facts is None else _FACTS.validate_python(row.facts),
        edited=bool(row.edited),
        passed=bool(row.passed),
        standing=row.folder is not None,
        error=None if row.error_code is None else from_code(row.error_code, row.error_params or {}),
    )


def _weight(facts: CopyFacts) -> int:
    """Return the sort key for review: copies with a visible face come first."""
    return len(facts.doubts) + (len(Doubtful) if Doubtful.VISIBLE in facts.doubts else 0)


def _facts(facts: CopyFacts) -> dict[str, Any]:
    return {"sha256": facts.sha256, "copy_sha256": facts.copy_sha256, "facts": _FACTS.dump_python(facts, mode="json")}


def _change(tx: Connection, item_id: int, now: datetime, **values: Any) -> None:
    tx.execute(update(item).where(item.c.id == item_id).values(changed_at=now, **values))


def _id_of(uid: str) -> Any:
    return select(batch.c.id).where(batch.c.uid == uid).scalar_subquery()
