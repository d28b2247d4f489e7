"""Requested covered copies: batches, their items, and results."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, delete, exists, func, not_, or_, select, update

from agent.domain.errors import AgentError, ApprovalAwaited, ApprovalOutdated, from_code
from agent.domain.video import is_clip
from agent.features.redaction.copy_records import MADE, ItemState, Made, RedactedCopy, RedactionBatch, RedactionItem, RedactionPage
from agent.features.redaction.options import Doubtful, Mark, RedactionOptions, cover_changes
from agent.infrastructure.core.actor import actor
from agent.infrastructure.core.request_id import current_id
from agent.infrastructure.store import audit_libraries, audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import image
from agent.infrastructure.store.schema import redaction as batch
from agent.infrastructure.store.schema import redaction_item as item

WISH = TypeAdapter(RedactionOptions)
FACTS = TypeAdapter(RedactedCopy)
_IS_MADE = item.c.state.in_(MADE)


class BatchQueries(Queries):
    def folder_batch(self, folder: str, wish: RedactionOptions, *, uid: str, now: datetime) -> str:
        """Return a watched folder's batch, created as `uid` if missing. From now on its copies are made with these options."""
        with self.database.write(durable=True) as tx:
            known = tx.scalar(select(batch.c.uid).where(batch.c.folder == folder))
            as_wished = WISH.dump_python(wish, mode="json")
            if known is None:
                add(tx, batch, {"uid": uid, "at": now, "folder": folder, "wish": as_wished})
                return uid
            tx.execute(update(batch).where(batch.c.uid == known).values(wish=as_wished))
            return str(known)

    def copies_to_make(self, limit: int, *, without: Collection[int] = (), clips: bool = True) -> list[RedactionItem]:
        """Return the next planned ones except those (ids): requests before folders, earlier batches first; videos only if allowed."""
        with self.database.read() as tx:
            chosen = items().where(item.c.state == ItemState.PLANNED)
            chosen = chosen.order_by(batch.c.folder.is_not(None), item.c.redaction_id, item.c.id)
            rows = tx.execute(
                chosen.limit(limit + len(without)) if clips else chosen
            )  # paths may be invalid text, so they are not searched in SQL
            left = (row for row in rows if row.id not in without and (clips or not is_clip(row.source)))
            return [shown(row) for row in islice(left, limit)]

    def record_pending(self, item_id: int, facts: RedactedCopy, *, now: datetime) -> bool:
        """Record a copy about to be placed: on the disk when this returns, so that it can be recognised after a crash.

        Return False if it is no longer planned: the batch was stopped.
        """
        with self.database.write(durable=True) as tx:
            planned = update(item).where(item.c.id == item_id, item.c.state == ItemState.PLANNED)
            return tx.execute(planned.values(changed_at=now, doubts=_weight(facts), **_facts(facts))).rowcount > 0

    def copy_failed(self, item_id: int, error: AgentError, *, now: datetime) -> None:
        with self.database.write() as tx:
            _change(tx, item_id, now, state=ItemState.FAILED, error_code=error.code, error_params=error.params)

    def copy_edited(self, item_id: int, marks: Sequence[Mark], *, now: datetime) -> RedactionItem | None:
        """Plan it again with these marks. None if there is no such item, or it has no copy."""
        with self.database.write(durable=True) as tx:
            known = one(tx, item_id)
            if known is None or known.state not in MADE or known.facts is None:
                return None
            before = replace(known.facts, before=None)
            facts = FACTS.dump_python(replace(before, marks=tuple(marks), replaces=None, before=before), mode="json")
            _change(
                tx, item_id, now, state=ItemState.PLANNED, edited=1, edited_by=actor.get(), passed=0, facts=facts, request_id=current_id()
            )
            for action, count in zip(("faces_uncovered", "faces_covered"), cover_changes(before.marks, marks), strict=True):
                if count:
                    libraries = audit_libraries.of_file(tx, known.source)
                    audit_log.add(tx, action, None, count, now, detail=f"{known.batch} {item_id}", libraries=libraries)
            return one(tx, item_id)

    def copies_accepted(
        self, uid: str, item_ids: Sequence[int] | None, *, now: datetime, seen: datetime | None = None, second_person: bool = False
    ) -> int:
        """Approve these, or all of a batch, as they were at `seen`. Return the number of approved ones.

        `second_person`: copies for publishing are not approved by the member who planned or last edited them. Raises ApprovalAwaited;
        ApprovalOutdated if all of them changed since.
        """
        with self.database.write(durable=True) as tx:
            chosen = and_(item.c.redaction_id == _id_of(uid), item.c.state == ItemState.NEEDS_REVIEW)
            if second_person and _is_own(tx, chosen, item_ids):
                raise ApprovalAwaited
            waiting = _sources(tx, chosen, item_ids)
            if seen is not None:
                chosen = and_(chosen, item.c.changed_at <= seen)
            looked_at = _sources(tx, chosen, item_ids)
            if waiting and not looked_at:
                raise ApprovalOutdated
            groups = audit_libraries.of_files(tx, looked_at)
            change = update(item).values(state=ItemState.DONE, changed_at=now)
            if item_ids is None:
                count = tx.execute(change.where(chosen)).rowcount
            else:
                count = sum(tx.execute(change.where(chosen, item.c.id.in_(part))).rowcount for part in chunks(item_ids))
            if count:
                audit_libraries.add_for_each(tx, "copies_approved", None, groups, count, now, detail=uid)
            return count

    def stop_copies(self, uid: str) -> int:
        """Stop planned items. An edited copy stays as it was, unless it has just been placed.

        Returns the number of stopped items.
        """
        with self.database.write(durable=True) as tx:
            for row in tx.execute(items().where(batch.c.uid == uid, item.c.state == ItemState.PLANNED, item.c.edited == 1)).all():
                # An edited item has its earlier copy: with the new marks it would be shown with covers that are not in it.
                known = FACTS.validate_python(row.facts)
                if known.replaces is None:  # otherwise the new copy may be in place already, which its maker checks
                    tx.execute(
                        update(item).where(item.c.id == row.id).values(state=ItemState.NEEDS_REVIEW, **_facts(known.before or known))
                    )
            planned = update(item).where(item.c.redaction_id == _id_of(uid), item.c.state == ItemState.PLANNED, item.c.edited == 0)
            return tx.execute(planned.values(state=ItemState.STOPPED)).rowcount

    def retry_copies(self, uid: str, *, now: datetime) -> int:
        """Plan failed and stopped ones again."""
        with self.database.write(durable=True) as tx:
            change = update(item).where(item.c.redaction_id == _id_of(uid), item.c.state.in_((ItemState.FAILED, ItemState.STOPPED)))
            return tx.execute(
                change.values(state=ItemState.PLANNED, error_code=None, error_params=None, changed_at=now, request_id=current_id())
            ).rowcount

    def made_at(self, target: str) -> Made | None:
        """Return what the copy at that path was last made from."""
        with self.database.read() as tx:
            row = latest(tx, target)
            return None if row is None else Made(row.sha256, row.copy_sha256, WISH.validate_python(row.wish))

    def covered_copies(self, image_ids: Collection[int]) -> set[int]:
        """Return those of the images that are covered copies made here, wherever they lie."""
        with self.database.read() as tx:
            is_copy = exists().where(item.c.copy_sha256 == image.c.sha256)
            return {
                each for part in chunks(sorted(image_ids)) for each in tx.scalars(select(image.c.id).where(image.c.id.in_(part), is_copy))
            }

    def redaction_items(self, uid: str, *, limit: int, offset: int = 0) -> RedactionPage:
        """Return a page of a batch: doubtful ones first, among them copies with a visible face, then those with most doubts.

        Failed ones follow, then the rest.
        """
        with self.database.read() as tx:
            mine = item.c.redaction_id == _id_of(uid)
            first = case((item.c.state == ItemState.NEEDS_REVIEW, 0), (item.c.state == ItemState.FAILED, 1), else_=2)
            rows = tx.execute(items().where(mine).order_by(first, item.c.doubts.desc(), item.c.id).limit(limit).offset(offset))
            total, changed_at = tx.execute(select(func.count(), func.max(item.c.changed_at)).where(mine)).one()
            return RedactionPage(tuple(shown(row) for row in rows), total, changed_at)

    def copies_ended(self, uid: str, *, after: int, limit: int) -> list[RedactionItem]:
        """Return the items of a batch that are no longer planned, by ascending id, starting after `after`."""
        with self.database.read() as tx:
            chosen = items().where(item.c.redaction_id == _id_of(uid), item.c.state != ItemState.PLANNED, item.c.id > after)
            return [shown(row) for row in tx.execute(chosen.order_by(item.c.id).limit(limit))]

    def expire_redactions(self, *, before: datetime, folders: Collection[str]) -> int:
        """Delete finished batches from before then, and batches of other folders than these. Return the number of batches."""
        with self.database.write() as tx:
            planned = exists().where(item.c.redaction_id == batch.c.id, item.c.state == ItemState.PLANNED)
            old = delete(batch).where(batch.c.folder.is_(None), batch.c.at < before, not_(planned))
            left = delete(batch).where(batch.c.folder.is_not(None), batch.c.folder.not_in(sorted(folders)))
            return tx.execute(old).rowcount + tx.execute(left).rowcount

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        """Record that it is in place."""
        with self.database.write() as tx:
            made(tx, item_id, target, review, now)

    def withheld(self, made: RedactionItem) -> bool:
        """Return whether a copy's file waits for approval: for this item, or for one of another batch that shares it, and may be edited."""
        with self.database.read() as tx:
            waiting = items().where(item.c.target == made.target, item.c.state.in_((ItemState.PLANNED, ItemState.NEEDS_REVIEW)))
            return any(shown(row).is_for_publishing for row in tx.execute(waiting))

    def redaction(self, item_id: int) -> RedactionItem | None:
        with self.database.read() as tx:
            return one(tx, item_id)

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        """Return batches, newest first."""
        with self.database.read() as tx:
            return batches(tx, limit=limit, offset=offset)

    def redaction_batch(self, uid: str) -> RedactionBatch | None:
        with self.database.read() as tx:
            return next(iter(batches(tx, limit=1, uid=uid)), None)


def made(tx: Connection, item_id: int, target: str, review: bool, now: datetime) -> None:
    state = ItemState.NEEDS_REVIEW if review else ItemState.DONE
    _change(tx, item_id, now, state=state, target=target, error_code=None, error_params=None)


def one(tx: Connection, item_id: int) -> RedactionItem | None:
    row = tx.execute(items().where(item.c.id == item_id)).one_or_none()
    return None if row is None else shown(row)


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
        return os.path.commonpath([os.path.dirname(first), os.path.dirname(last)])  # noqa: PTH120 - paths are strings throughout
    return None


def latest(tx: Connection, target: str) -> "Row[Any] | None":
    return tx.execute(items().where(item.c.target == target, _IS_MADE).order_by(item.c.id.desc()).limit(1)).one_or_none()


def items() -> "Select[Any]":
    return select(item, batch.c.uid, batch.c.folder, batch.c.wish, batch.c.made_by).join(batch)


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
        facts=None if row.facts is None else FACTS.validate_python(row.facts),
        edited=bool(row.edited),
        passed=bool(row.passed),
        standing=row.folder is not None,
        made_by=row.made_by,
        edited_by=row.edited_by,
        error=None if row.error_code is None else from_code(row.error_code, row.error_params or {}),
        request_id=row.request_id or "",
    )


def _is_own(tx: Connection, chosen: ColumnElement[bool], item_ids: Sequence[int] | None) -> bool:
    """Return whether the member who acts planned or last edited one of these copies for publishing."""
    member = actor.get()
    rows = tx.execute(items().where(chosen, or_(batch.c.made_by == member, item.c.edited_by == member)))
    return any(each.is_published_by(member) and (item_ids is None or each.id in item_ids) for each in map(shown, rows))


def _sources(tx: Connection, chosen: ColumnElement[bool], item_ids: Sequence[int] | None) -> list[str]:
    """Return the originals of these items."""
    rows = tx.execute(select(item.c.id, item.c.source).where(chosen))
    wanted = None if item_ids is None else set(item_ids)
    return [row.source for row in rows if wanted is None or row.id in wanted]


def _weight(facts: RedactedCopy) -> int:
    """Return the sort key for review: copies with a visible face come first."""
    return len(facts.doubts) + (len(Doubtful) if Doubtful.VISIBLE in facts.doubts else 0)


def _facts(facts: RedactedCopy) -> dict[str, Any]:
    return {"sha256": facts.sha256, "copy_sha256": facts.copy_sha256, "facts": FACTS.dump_python(facts, mode="json")}


def _change(tx: Connection, item_id: int, now: datetime, **values: Any) -> None:
    tx.execute(update(item).where(item.c.id == item_id).values(changed_at=now, **values))


def _id_of(uid: str) -> Any:
    return select(batch.c.id).where(batch.c.uid == uid).scalar_subquery()
