"""What the redaction room asks of the encrypted library: each query is one transaction."""

from datetime import datetime

from agent.people.queries.people_queries import PeopleQueries
from agent.redaction.copy_records import RedactionBatch, RedactionItem
from agent.redaction.queries import batch_rows
from agent.redaction.queries.batch_rows import BatchQueries
from agent.redaction.queries.plan_rows import PlanQueries


class RedactionQueries(PlanQueries, BatchQueries, PeopleQueries):
    """Batches of redacted copies and their items."""

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        """Record that it is in place."""
        with self.database.write() as tx:
            batch_rows.made(tx, item_id, target, review, now)

    def redaction(self, item_id: int) -> RedactionItem | None:
        with self.database.read() as tx:
            return batch_rows.one(tx, item_id)

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        """Return batches, newest first."""
        with self.database.read() as tx:
            return batch_rows.batches(tx, limit=limit, offset=offset)

    def redaction_batch(self, uid: str) -> RedactionBatch | None:
        with self.database.read() as tx:
            return next(iter(batch_rows.batches(tx, limit=1, uid=uid)), None)
