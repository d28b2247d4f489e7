"""Workers: their beats, and what is left behind by those that are gone."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, literal_column, select, update

from agent.domain.errors import from_code
from agent.domain.events import StoredEvent
from agent.domain.jobs import JobState, Priority
from agent.features.library.queries import job_queries
from agent.features.library.queries.job_queries import ENDED_BADLY
from agent.infrastructure.store.columns import Instant
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import job, worker
from agent.server.workers.queries import work_queue
from agent.server.workers.records import Beat, QueueStatus, WorkerState, WorkerStatus

# The database's clock: the workers' machines may disagree about the time.
_NOW: Any = literal_column("CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)", Instant())
KEPT = timedelta(days=1)  # how long workers that are gone are shown
_NO_PROBLEM: dict[str, Any] = {"error_code": None, "error_params": None}
_GONE: dict[str, Any] = {"state": WorkerState.GONE, "rate": 0.0, "batches": [], **_NO_PROBLEM}


class WorkerQueries(Queries):
    def begin(self, uid: str, name: str, host: str) -> None:
        with self.database.write() as tx:
            _begin(tx, uid, name, host)

    def beat(self, uid: str, name: str, host: str, beat: Beat) -> bool:
        """Store what a worker says; return whether it is to drain.

        One that was silent for a day, or that a wrong clock of the database had forgotten, begins anew: otherwise all that it takes
        would be put back.
        """
        with self.database.write() as tx:
            if tx.scalar(select(worker.c.uid).where(worker.c.uid == uid)) is None:
                _begin(tx, uid, name, host)
            said = {"state": beat.state, "done": beat.done, "errors": beat.errors, "rate": beat.rate, "batches": list(beat.batches)}
            said |= _NO_PROBLEM if beat.problem is None else {"error_code": beat.problem.code, "error_params": beat.problem.params}
            drain_at = tx.scalar(update(worker).where(worker.c.uid == uid).values(**said, seen_at=_NOW).returning(worker.c.drain_at))
            return drain_at is not None

    def end(self, uid: str) -> None:
        """Note a worker's end, and give its leases back untried."""
        with self.database.write() as tx:
            tx.execute(update(worker).where(worker.c.uid == uid).values(**_GONE, seen_at=_NOW))
            job_queries.release_leases(tx, uid)

    def drain(self, name: str) -> bool:
        """Ask all running workers of that name to finish and end; return whether there is one."""
        with self.database.write() as tx:
            chosen = (worker.c.name == name) & (worker.c.state != WorkerState.GONE)
            return bool(tx.execute(update(worker).where(chosen).values(drain_at=func.coalesce(worker.c.drain_at, _NOW))).rowcount)

    def sweep(self, *, silent: timedelta, now: datetime) -> list[StoredEvent]:
        """Put back what workers hold that were silent for that long, and purge what has ended. Return what happened to photos."""
        with self.database.write() as tx:
            today = tx.scalar(select(_NOW))
            assert today is not None
            lost = (worker.c.state != WorkerState.GONE) & (worker.c.seen_at < today - silent)
            tx.execute(update(worker).where(lost).values(**_GONE))
            tx.execute(delete(worker).where(worker.c.state == WorkerState.GONE, worker.c.seen_at < today - KEPT))
            living = tx.execute(select(worker.c.uid, worker.c.batches).where(worker.c.state != WorkerState.GONE)).all()
            ended = job_queries.end_leases_of(tx, job.c.lease_worker.not_in([each.uid for each in living]), now)
            ended += job_queries.expire(tx, today)
            held = [int(number) for each in living for number in each.batches]
            work_queue.drop_lost(tx, held, silent.total_seconds())
            work_queue.drop_ended(tx)
            return ended

    def workers(self) -> list[WorkerStatus]:
        """Return the workers, first those that run."""
        with self.database.read() as tx:
            rows = tx.execute(select(worker).order_by(worker.c.state == WorkerState.GONE, worker.c.name, worker.c.started_at))
            return [
                WorkerStatus(
                    row.name,
                    row.host,
                    WorkerState(row.state),
                    row.started_at,
                    row.seen_at,
                    row.done,
                    row.errors,
                    row.rate,
                    row.drain_at is not None,
                    None if row.error_code is None else from_code(row.error_code, row.error_params),
                )
                for row in rows
            ]

    def queue(self) -> list[QueueStatus]:
        """Return the jobs of each priority that wait, run or failed."""
        with self.database.read() as tx:
            waits, runs, failed = job.c.state == JobState.QUEUED, job.c.state == JobState.LEASED, job.c.state.in_(ENDED_BADLY)
            counted = [func.count(case((each, 1))) for each in (waits, runs, failed)]
            oldest = func.min(case((waits, job.c.changed_at)), type_=Instant())
            rows = tx.execute(
                select(job.c.priority, *counted, oldest).where(waits | runs | failed).group_by(job.c.priority).order_by(job.c.priority)
            )
            found = {row.priority: QueueStatus(*row) for row in rows}
            return [found.get(int(each), QueueStatus(int(each), 0, 0, 0, None)) for each in Priority]


def _begin(tx: Connection, uid: str, name: str, host: str) -> None:
    fresh = {"uid": uid, "name": name, "host": host, "state": WorkerState.IDLE, "started_at": _NOW, "seen_at": _NOW}
    tx.execute(insert(worker).values(**fresh, done=0, errors=0, rate=0.0, batches=[]))
