"""Batches: queued jobs handed out to workers, and leased by them."""

from collections.abc import Mapping
from datetime import timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, func, insert, select, text, update

from agent.domain.jobs import Job, JobState, Priority
from agent.features.library.queries import job_queries
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import database_time
from agent.infrastructure.store.schema import job, shared, worker
from agent.server.workers.queries import work_queue
from agent.server.workers.records import WorkerState

BATCH = 64
LEAST = 4  # fewer would not keep an engine busy
WORK_CHANNEL = "library_work"
SETTINGS = "settings"
_TELL = text(f"SELECT pg_notify('{WORK_CHANNEL}', '')")
_QUEUED = (job.c.state == JobState.QUEUED) & job.c.batch.is_(None)


class HandoutQueries(Queries):
    def hand_out(self, settings: Mapping[str, Any]) -> int:
        """Put queued jobs into batches, until enough of each priority wait for workers; return the number of batches.

        Few wait, so that a photo queued later, but more urgent, is behind few others. Before the first that is analysed by
        these `settings`, they are shared.
        """
        with self.database.write() as tx:
            _share(tx, settings)
            workers = max(1, tx.scalar(select(func.count()).select_from(worker).where(worker.c.state != WorkerState.GONE)) or 0)
            waiting, made = work_queue.waiting(tx), 0
            for priority in Priority:
                for _ in range(waiting.get(priority, 0), workers + 1):
                    made += (more := _hand_out(tx, priority, workers))
                    if not more:
                        break
            return made

    def recall(self) -> int:
        """Take back all jobs that no worker has begun. Return their number."""
        with self.database.write() as tx:
            work_queue.drop_waiting(tx)
            return job_queries.recall(tx)

    def take_from(
        self, batch: int, limit: int, *, worker: str, lasts: timedelta, known: int
    ) -> tuple[list[Job], tuple[int, dict[str, Any]] | None]:
        """Lease jobs of a batch; also return the shared settings with their version, if that is not the `known` one.

        By the database's clock: those of the workers' machines may disagree.
        """
        with self.database.write() as tx:
            now = tx.scalar(select(database_time()))
            assert now is not None
            jobs = job_queries.take(tx, limit, worker=worker, until=now + lasts, batch=batch)
            fresh = tx.execute(
                select(shared.c.version, shared.c.content).where(shared.c.name == SETTINGS, shared.c.version != known)
            ).first()
            return jobs, (fresh.version, dict(fresh.content)) if fresh else None

    def close_batch(self, batch: int) -> None:
        """Take back jobs of a batch that were not begun, and tell who hands out work that a worker has room."""
        with self.database.write() as tx:
            tx.execute(update(job).where(job.c.state == JobState.QUEUED, job.c.batch == batch).values(batch=None))
            tx.execute(_TELL)


def _hand_out(tx: Connection, priority: int, workers: int) -> bool:
    """Make one batch. Towards the end batches become smaller, so that all workers finish together."""
    chosen = select(job.c.id).where(_QUEUED, job.c.priority == priority)
    enough = chosen.limit(BATCH * 2 * workers).subquery()
    size = ceil((tx.scalar(select(func.count()).select_from(enough)) or 0) / (2 * workers))
    ids = tx.scalars(chosen.order_by(job.c.attempts, job.c.id).limit(min(BATCH, max(LEAST, size)))).all()
    if not ids:
        return False
    tx.execute(update(job).where(job.c.id.in_(ids)).values(batch=work_queue.defer(tx, priority)))
    return True


def _share(tx: Connection, settings: Mapping[str, Any]) -> None:
    before = tx.execute(select(shared.c.version, shared.c.content).where(shared.c.name == SETTINGS)).first()
    if before is None:
        tx.execute(insert(shared).values(name=SETTINGS, version=1, content=dict(settings)))
    elif before.content != settings:
        tx.execute(update(shared).where(shared.c.name == SETTINGS).values(version=before.version + 1, content=dict(settings)))
