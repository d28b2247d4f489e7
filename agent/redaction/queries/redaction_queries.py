"""What the redaction room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime

from agent.domain.errors import AgentError
from agent.people.queries.people_queries import PeopleQueries
from agent.redaction.copy_records import CopyFacts, Made, PlannedCopy, RedactionBatch, RedactionItem, RedactionPage
from agent.redaction.options import Mark, Wish
from agent.redaction.queries import batch_rows, plan_rows


class RedactionQueries(PeopleQueries):
    """Batches of redacted copies and their items."""

    def plan_copies(self, uid: str, wish: Wish, copies: Sequence[PlannedCopy], *, now: datetime) -> list[int]:
        """Create the batch, or resume it if it exists, and return the ids of the items of these copies.

        Items that earlier requests left planned are moved here; a failed item is planned again. Committed to disk when this returns.
        """
        with self.database.write(durable=True) as tx:
            return plan_rows.plan(tx, uid, wish, copies, now)

    def copies_begun(self, wish: Wish) -> list[RedactionItem]:
        """Return items that requests left planned, or stopped, of copies with these options, oldest batch first.

        Batches of watched folders are not requests.
        """
        with self.database.read() as tx:
            return plan_rows.begun(tx, wish)

    def plan_more(self, uid: str, copies: Sequence[PlannedCopy], *, now: datetime) -> None:
        """Add to a batch. Existing items of the same source are planned again. A deleted batch stays deleted."""
        with self.database.write() as tx:
            plan_rows.plan_more(tx, uid, copies, now)

    def folder_batch(self, folder: str, wish: Wish, *, uid: str, now: datetime) -> str:
        """Return a watched folder's batch, created as `uid` if missing. From now on its copies are made with these options."""
        with self.database.write(durable=True) as tx:
            return batch_rows.of_folder(tx, folder, wish, uid, now)

    def uncopied(self, uid: str, *, places: Collection[int] | None = None, limit: int = 1000) -> list[str]:
        """Return photos and videos that appeared or changed in the batch's folder since its creation, without a copy yet.

        Limited to those locations, if given. Copies made by this program are not included.
        """
        with self.database.read() as tx:
            return batch_rows.uncopied(tx, uid, places, limit)

    def copies_to_make(self, limit: int, *, without: Collection[int] = (), clips: bool = True) -> list[RedactionItem]:
        """Return the next planned ones except those (ids): requests before folders, earlier batches first; videos only if allowed."""
        with self.database.read() as tx:
            return batch_rows.to_make(tx, limit, without, clips)

    def about_to_place(self, item_id: int, facts: CopyFacts, *, now: datetime) -> bool:
        """Record a copy about to be placed: on the disk when this returns, so that it can be recognised after a crash.

        Return False if it is no longer planned: the batch was stopped.
        """
        with self.database.write(durable=True) as tx:
            return batch_rows.about_to_place(tx, item_id, facts, now)

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        """Record that it is in place."""
        with self.database.write() as tx:
            batch_rows.made(tx, item_id, target, review, now)

    def copy_failed(self, item_id: int, error: AgentError, *, now: datetime) -> None:
        with self.database.write() as tx:
            batch_rows.failed(tx, item_id, error, now)

    def copy_edited(self, item_id: int, marks: Sequence[Mark], *, now: datetime) -> RedactionItem | None:
        """Plan it again with these marks. None if there is no such item, or it has no copy."""
        with self.database.write(durable=True) as tx:
            return batch_rows.edited(tx, item_id, marks, now)

    def copies_accepted(self, uid: str, item_ids: Sequence[int] | None, *, now: datetime) -> int:
        """Approve these, or all of a batch. Return the number of approved ones."""
        with self.database.write(durable=True) as tx:
            return batch_rows.accepted(tx, uid, item_ids, now)

    def stop_copies(self, uid: str) -> int:
        """Stop planned items. An edited copy stays as it was, unless it has just been placed.

        Returns the number of stopped items.
        """
        with self.database.write(durable=True) as tx:
            return batch_rows.stop(tx, uid)

    def retry_copies(self, uid: str, *, now: datetime) -> int:
        """Plan failed and stopped ones again."""
        with self.database.write(durable=True) as tx:
            return batch_rows.retry(tx, uid, now)

    def made_at(self, target: str) -> Made | None:
        """Return what the copy at that path was last made from."""
        with self.database.read() as tx:
            return batch_rows.made_at(tx, target)

    def redaction(self, item_id: int) -> RedactionItem | None:
        with self.database.read() as tx:
            return batch_rows.one(tx, item_id)

    def redaction_items(self, uid: str, *, limit: int, offset: int = 0) -> RedactionPage:
        """Return a page of a batch: doubtful ones first, among them copies with a visible face, then those with most doubts.

        Failed ones follow, then the rest.
        """
        with self.database.read() as tx:
            return batch_rows.page(tx, uid, limit, offset)

    def copies_ended(self, uid: str, *, after: int, limit: int) -> list[RedactionItem]:
        """Return the items of a batch that are no longer planned, by ascending id, starting after `after`."""
        with self.database.read() as tx:
            return batch_rows.ended(tx, uid, after, limit)

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        """Return batches, newest first."""
        with self.database.read() as tx:
            return batch_rows.batches(tx, limit=limit, offset=offset)

    def redaction_batch(self, uid: str) -> RedactionBatch | None:
        with self.database.read() as tx:
            return next(iter(batch_rows.batches(tx, limit=1, uid=uid)), None)

    def expire_redactions(self, *, before: datetime, folders: Collection[str]) -> int:
        """Delete finished batches from before then, and batches of other folders than these. Return the number of batches."""
        with self.database.write() as tx:
            return batch_rows.expire(tx, before, folders)
