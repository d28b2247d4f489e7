"""The library's part about covered copies: each call of the port is one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime

from agent.domain.errors import AgentError
from agent.redaction.copy_records import CopyFacts, Made, PlannedCopy, RedactionBatch, RedactionItem, RedactionPage
from agent.redaction.options import Mark, Wish
from agent.redaction.queries import batch_rows, plan_rows
from agent.store.database import Database


class RedactionTables:
    """Implements `agent.redaction.copy_records.Redactions`."""

    _database: Database

    def plan_copies(self, uid: str, wish: Wish, copies: Sequence[PlannedCopy], *, now: datetime) -> list[int]:
        with self._database.write(durable=True) as tx:
            return plan_rows.plan(tx, uid, wish, copies, now)

    def copies_begun(self, wish: Wish) -> list[RedactionItem]:
        with self._database.read() as tx:
            return plan_rows.begun(tx, wish)

    def plan_more(self, uid: str, copies: Sequence[PlannedCopy], *, now: datetime) -> None:
        with self._database.write() as tx:
            plan_rows.plan_more(tx, uid, copies, now)

    def folder_batch(self, folder: str, wish: Wish, *, uid: str, now: datetime) -> str:
        with self._database.write(durable=True) as tx:
            return batch_rows.of_folder(tx, folder, wish, uid, now)

    def uncopied(self, uid: str, *, places: Collection[int] | None = None, limit: int = 1000) -> list[str]:
        with self._database.read() as tx:
            return batch_rows.uncopied(tx, uid, places, limit)

    def copies_to_make(self, limit: int, *, without: Collection[int] = (), clips: bool = True) -> list[RedactionItem]:
        with self._database.read() as tx:
            return batch_rows.to_make(tx, limit, without, clips)

    def about_to_place(self, item_id: int, facts: CopyFacts, *, now: datetime) -> bool:
        with self._database.write(durable=True) as tx:
            return batch_rows.about_to_place(tx, item_id, facts, now)

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        with self._database.write() as tx:
            batch_rows.made(tx, item_id, target, review, now)

    def copy_failed(self, item_id: int, error: AgentError, *, now: datetime) -> None:
        with self._database.write() as tx:
            batch_rows.failed(tx, item_id, error, now)

    def copy_edited(self, item_id: int, marks: Sequence[Mark], *, now: datetime) -> RedactionItem | None:
        with self._database.write(durable=True) as tx:
            return batch_rows.edited(tx, item_id, marks, now)

    def copies_accepted(self, uid: str, item_ids: Sequence[int] | None, *, now: datetime) -> int:
        with self._database.write(durable=True) as tx:
            return batch_rows.accepted(tx, uid, item_ids, now)

    def stop_copies(self, uid: str) -> int:
        with self._database.write(durable=True) as tx:
            return batch_rows.stop(tx, uid)

    def retry_copies(self, uid: str, *, now: datetime) -> int:
        with self._database.write(durable=True) as tx:
            return batch_rows.retry(tx, uid, now)

    def made_at(self, target: str) -> Made | None:
        with self._database.read() as tx:
            return batch_rows.made_at(tx, target)

    def redaction(self, item_id: int) -> RedactionItem | None:
        with self._database.read() as tx:
            return batch_rows.one(tx, item_id)

    def redaction_items(self, uid: str, *, limit: int, offset: int = 0) -> RedactionPage:
        with self._database.read() as tx:
            return batch_rows.page(tx, uid, limit, offset)

    def copies_ended(self, uid: str, *, after: int, limit: int) -> list[RedactionItem]:
        with self._database.read() as tx:
            return batch_rows.ended(tx, uid, after, limit)

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        with self._database.read() as tx:
            return batch_rows.batches(tx, limit=limit, offset=offset)

    def redaction_batch(self, uid: str) -> RedactionBatch | None:
        with self._database.read() as tx:
            return next(iter(batch_rows.batches(tx, limit=1, uid=uid)), None)

    def expire_redactions(self, *, before: datetime, folders: Collection[str]) -> int:
        with self._database.write() as tx:
            return batch_rows.expire(tx, before, folders)
