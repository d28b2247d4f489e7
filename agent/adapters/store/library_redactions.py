"""The library's part about covered copies: each call of the port as one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime

from agent.adapters.store import redaction_plans, redactions
from agent.adapters.store.engine import Database
from agent.app.ports import CopyFacts, Made, PlannedCopy, RedactionBatch, RedactionItem, RedactionPage
from agent.domain.errors import AgentError
from agent.domain.wishes import Mark, Wish


class RedactionTables:
    """Implements `agent.app.ports.redactions.Redactions`."""

    _database: Database

    def plan_copies(self, uid: str, wish: Wish, copies: Sequence[PlannedCopy], *, now: datetime) -> list[int]:
        with self._database.write(durable=True) as tx:
            return redaction_plans.plan(tx, uid, wish, copies, now)

    def copies_begun(self, wish: Wish) -> list[RedactionItem]:
        with self._database.read() as tx:
            return redaction_plans.begun(tx, wish)

    def plan_more(self, uid: str, copies: Sequence[PlannedCopy], *, now: datetime) -> None:
        with self._database.write() as tx:
            redaction_plans.plan_more(tx, uid, copies, now)

    def folder_batch(self, folder: str, wish: Wish, *, uid: str, now: datetime) -> str:
        with self._database.write(durable=True) as tx:
            return redactions.of_folder(tx, folder, wish, uid, now)

    def uncopied(self, uid: str, *, places: Collection[int] | None = None, limit: int = 1000) -> list[str]:
        with self._database.read() as tx:
            return redactions.uncopied(tx, uid, places, limit)

    def copies_to_make(self, limit: int, *, without: Collection[int] = (), clips: bool = True) -> list[RedactionItem]:
        with self._database.read() as tx:
            return redactions.to_make(tx, limit, without, clips)

    def about_to_place(self, item_id: int, facts: CopyFacts, *, now: datetime) -> bool:
        with self._database.write(durable=True) as tx:
            return redactions.about_to_place(tx, item_id, facts, now)

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        with self._database.write() as tx:
            redactions.made(tx, item_id, target, review, now)

    def copy_failed(self, item_id: int, error: AgentError, *, now: datetime) -> None:
        with self._database.write() as tx:
            redactions.failed(tx, item_id, error, now)

    def copy_edited(self, item_id: int, marks: Sequence[Mark], *, now: datetime) -> RedactionItem | None:
        with self._database.write(durable=True) as tx:
            return redactions.edited(tx, item_id, marks, now)

    def copies_accepted(self, uid: str, item_ids: Sequence[int] | None, *, now: datetime) -> int:
        with self._database.write(durable=True) as tx:
            return redactions.accepted(tx, uid, item_ids, now)

    def stop_copies(self, uid: str) -> int:
        with self._database.write(durable=True) as tx:
            return redactions.stop(tx, uid)

    def retry_copies(self, uid: str, *, now: datetime) -> int:
        with self._database.write(durable=True) as tx:
            return redactions.retry(tx, uid, now)

    def made_at(self, target: str) -> Made | None:
        with self._database.read() as tx:
            return redactions.made_at(tx, target)

    def redaction(self, item_id: int) -> RedactionItem | None:
        with self._database.read() as tx:
            return redactions.one(tx, item_id)

    def redaction_items(self, uid: str, *, limit: int, offset: int = 0) -> RedactionPage:
        with self._database.read() as tx:
            return redactions.page(tx, uid, limit, offset)

    def copies_ended(self, uid: str, *, after: int, limit: int) -> list[RedactionItem]:
        with self._database.read() as tx:
            return redactions.ended(tx, uid, after, limit)

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        with self._database.read() as tx:
            return redactions.batches(tx, limit=limit, offset=offset)

    def redaction_batch(self, uid: str) -> RedactionBatch | None:
        with self._database.read() as tx:
            return next(iter(redactions.batches(tx, limit=1, uid=uid)), None)

    def expire_redactions(self, *, before: datetime, folders: Collection[str]) -> int:
        with self._database.write() as tx:
            return redactions.expire(tx, before, folders)
