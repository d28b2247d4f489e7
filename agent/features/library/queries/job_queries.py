"""The queue: one job per location, leased in order, ended once.

A job is identified by its id and its attempt. Anything that invalidates a running attempt (the file changed or moved, recognition was
switched off) or counts attempts anew replaces the job by a new one, so that the old attempt's result has no job to end.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Update, delete, exists, func, insert, literal, or_, select, update

from agent.domain import desk_path, reference_path
from agent.domain.errors import AgentError, EngineCrashed, EngineKilled, ModelError, StoreError
from agent.domain.events import ImageFailed, StoredEvent
from agent.domain.image import NO_FACES, Recipe
from agent.domain.jobs import AGENT, Job, JobState, Priority, after_error
from agent.domain.video import is_clip
from agent.infrastructure.core.request_id import current_id
from agent.infrastructure.store import event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.path_index import EVERYWHERE, FolderArea, within
from agent.infrastructure.store.schema import image, job, place

ENDED_BADLY = (JobState.FAILED, JobState.QUARANTINED)
WITHOUT_FILE = (desk_path.SOURCE, reference_path.SOURCE)
# No detector has this name: such an analysis is outdated for every recipe, and the next one replaces it.
NO_ANALYSIS = ""
_NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_worker": None, "batch": None}
_AT_ONCE = 1_000
_BY_STATE = select(job.c.state, func.count()).group_by(job.c.state)


class JobQueries(Queries):
    def release(self, jobs: Sequence[Job]) -> None:
        """Return leased jobs untried (pause, quit): the attempt is not counted."""
        with self.database.write() as tx:
            for each in jobs:
                tx.execute(_untried().where(job.c.id == each.id, job.c.attempts == each.attempts))

    def release_leases(self, worker: str = AGENT) -> int:
        """Return, at a worker's start, the leases that it held when it ended, with their attempts: the engine was not at fault.

        Leases of other workers stay until they expire. Returns how many were returned.
        """
        with self.database.write() as tx:
            return release_leases(tx, worker)

    def fail(self, leased: Job, state: JobState, error: AgentError, *, now: datetime) -> list[StoredEvent]:
        """End the attempt: back to the queue, failed or quarantined, with the error's code and parameters stored."""
        with self.database.write() as tx:
            if held(tx, leased) is None:
                return []
            # A missing model or a full disk says nothing about the file: such an attempt is not counted.
            blameless = state is JobState.QUEUED and isinstance(error, ModelError | StoreError)
            return _end(tx, leased.id, leased.place_id, leased.attempts - 1 if blameless else leased.attempts, state, error, now)

    def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Queue failed and quarantined jobs again with zero attempts; all of them without `place_ids`."""
        with self.database.write(durable=True) as tx:
            bad = job.c.state.in_(ENDED_BADLY)
            if place_ids is None:
                return _begin_again(tx, bad)
            return sum(_begin_again(tx, bad & job.c.place_id.in_(chunk)) for chunk in chunks(place_ids))

    def retry_deferred(self, place_id: int | None = None) -> int:
        """Queue this online-only file, or all of them, as requested. Return the number."""
        with self.database.write(durable=True) as tx:
            chosen = job.c.state == JobState.DEFERRED
            return _begin_again(tx, chosen if place_id is None else chosen & (job.c.place_id == place_id), Priority.ASKED)

    def clear_problems(self, place_id: int | None = None) -> int:
        """Delete failed and quarantined jobs, of this file or all; a file is retried on a change or request. Return the number."""
        with self.database.write(durable=True) as tx:
            bad = job.c.state.in_(ENDED_BADLY)
            return tx.execute(delete(job).where(bad if place_id is None else bad & (job.c.place_id == place_id))).rowcount

    def drop_waiting(self) -> int:
        """Remove every waiting job from the queue; the files stay known, see `queue_unseen`. Return the number."""
        with self.database.write(durable=True) as tx:
            return tx.execute(delete(job).where(job.c.state == JobState.QUEUED)).rowcount

    def queue_unseen(self, *, now: datetime) -> int:
        """Queue files of watched folders that were never analysed and have no job: dropped or cleared ones. Return the number."""
        with self.database.write() as tx:
            unseen = (
                select(place.c.id, place.c.path)
                .outerjoin(job)
                .where(place.c.image_id.is_(None), place.c.missing_since.is_(None), place.c.folder.is_not(None), job.c.id.is_(None))
                .order_by(place.c.id)
                .limit(_AT_ONCE)
            )
            queued, last = 0, 0
            while rows := tx.execute(unseen.where(place.c.id > last)).all():
                if fresh := [_fresh(place_id, Priority.BACKLOG, now) for place_id, path in rows if not is_clip(path)]:
                    tx.execute(insert(job), fresh)
                queued, last = queued + len(fresh), rows[-1].id
            return queued

    def requeue_outdated(self, recipe: Recipe, *, now: datetime, area: FolderArea = EVERYWHERE) -> int:
        """Queue every image of an area whose analysis does not match the recipe (another detector, or recognition was switched on)."""
        with self.database.write() as tx:
            # Running attempts may use the old recipe: they start again, or their results would be outdated at once.
            restart_leased(tx, now)
            # One location of each image is enough. Rows stay in the database: another detector means all photos of a library.
            chosen = (
                select(func.min(place.c.id).label("place_id"))
                .join(image)
                .where(outdated(recipe), place.c.missing_since.is_(None), place.c.source.not_in(WITHOUT_FILE), within(area))
                .group_by(place.c.image_id)
                .subquery()
            )
            tx.execute(delete(job).where(job.c.state == JobState.DONE, job.c.place_id.in_(select(chosen.c.place_id))))
            fresh = {name: literal(value, job.c[name].type) for name, value in _fresh(0, Priority.BACKLOG, now).items()}
            has_job = exists().where(job.c.place_id == chosen.c.place_id)
            jobless = select(*(fresh | {"place_id": chosen.c.place_id}).values()).where(~has_job)
            queued = insert(job).from_select(list(fresh), jobless.order_by(chosen.c.place_id))
            return tx.execute(queued.execution_options(preserve_rowcount=True)).rowcount

    def lease(
        self, limit: int, *, worker: str = AGENT, now: datetime, until: datetime, under_way: Collection[int] = ()
    ) -> tuple[list[Job], list[StoredEvent]]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts.

        An expired lease ends like a crash, which is recorded; but not for jobs (ids) that are `under_way`: the clock
        went forward, or the computer slept.
        """
        with self.database.write() as tx:
            ended = expire(tx, now, under_way)
            return take(tx, limit, worker=worker, until=until), ended


def outdated(recipe: Recipe) -> ColumnElement[bool]:
    """Return a condition for images whose analysis does not match the recipe. Extra results are fine: another location may need them."""
    if recipe.detector == NO_FACES:
        return image.c.detector == NO_ANALYSIS
    other_detector: ColumnElement[bool] = image.c.detector != recipe.detector
    if recipe.embedder is None:
        return other_detector
    return or_(other_detector, image.c.embedder.is_(None), image.c.embedder != recipe.embedder)


def count(tx: Connection) -> dict[JobState, int]:
    """Return the number of jobs in each state."""
    return dict.fromkeys(JobState, 0) | {JobState(state): number for state, number in tx.execute(_BY_STATE)}


def count_undone(tx: Connection) -> dict[JobState, int]:
    """The same without those that are done, which are nearly all."""
    rows = tx.execute(_BY_STATE.where(job.c.state.in_([state for state in JobState if state is not JobState.DONE])))
    return dict.fromkeys(JobState, 0) | {JobState(state): number for state, number in rows}


def queue(tx: Connection, place_id: int, priority: Priority, now: datetime, *, request_id: str = "") -> None:
    """Give the location a new job, replacing any existing one. `request_id`: of an earlier request, if none runs now."""
    drop(tx, place_id)
    fresh = _fresh(place_id, priority, now)
    tx.execute(insert(job).values(fresh | {"request_id": fresh["request_id"] or request_id}))


def _begin_again(tx: Connection, chosen: ColumnElement[bool], priority: Priority | None = None) -> int:
    """Replace jobs by new ones without attempts, at their priority or another. Return the number.

    With the same id, the next attempt would be taken for an earlier one of the same number, whose worker may still come back.
    """
    rows = tx.execute(delete(job).where(chosen).returning(job.c.place_id, job.c.priority, job.c.changed_at)).all()
    if rows:
        fresh = [_fresh(row.place_id, row.priority if priority is None else priority, row.changed_at) for row in rows]
        tx.execute(insert(job), fresh)
    return len(rows)


def drop(tx: Connection, place_id: int) -> None:
    tx.execute(delete(job).where(job.c.place_id == place_id))


def hurry(tx: Connection, place_id: int, priority: Priority) -> None:
    """Move a waiting job forward, never back. One that was handed out is handed out again, before others."""
    tx.execute(
        update(job)
        .where(job.c.place_id == place_id, job.c.state == JobState.QUEUED, job.c.priority > int(priority))
        .values(priority=int(priority), batch=None)
    )


def recall(tx: Connection, within: ColumnElement[bool] | None = None) -> int:
    """Take back jobs that are handed out and not begun; `within` limits it to jobs of matching locations. Return the number."""
    out = update(job).where(job.c.batch.is_not(None), job.c.state == JobState.QUEUED).values(batch=None)
    if within is not None:
        out = out.where(job.c.place_id.in_(select(place.c.id).where(within)))
    return tx.execute(out).rowcount


def restart_leased(tx: Connection, now: datetime, within: ColumnElement[bool] | None = None) -> None:
    """Replace leased jobs by new ones, so that running attempts have no effect; the attempt is not counted.

    Jobs that are handed out are taken back: a worker may not know yet what made this necessary.
    `within` limits it to jobs of matching locations.
    """
    recall(tx, within)
    chosen = select(job).join(place).where(job.c.state == JobState.LEASED)
    rows = tx.execute(chosen if within is None else chosen.where(within)).all()
    for row in rows:
        tx.execute(delete(job).where(job.c.id == row.id))
        tx.execute(
            insert(job).values(_fresh(row.place_id, row.priority, now) | {"attempts": row.attempts - 1, "request_id": row.request_id})
        )


def take(tx: Connection, limit: int, *, worker: str, until: datetime, batch: int | None = None) -> list[Job]:
    """Lease the next jobs, of a batch or of all."""
    waiting = job.c.state == JobState.QUEUED
    rows = tx.execute(
        select(job.c.id, job.c.place_id, job.c.attempts, job.c.priority, job.c.request_id, place.c.path)
        .join(place)
        .where(waiting if batch is None else waiting & (job.c.batch == batch))
        .order_by(job.c.priority, job.c.attempts, job.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=job)  # not said to SQLite, where a writer is alone
    ).all()
    for row in rows:
        tx.execute(
            update(job)
            .where(job.c.id == row.id)
            .values(
                state=JobState.LEASED,
                attempts=row.attempts + 1,
                lease_until=until,
                lease_worker=worker,
                error_code=None,
                error_params=None,
            )
        )
    return [Job(row.id, row.place_id, row.path, row.attempts + 1, row.priority, row.request_id or "") for row in rows]


def _untried() -> Update:
    values = {"state": JobState.QUEUED, "attempts": job.c.attempts - 1, **_NO_LEASE}
    return update(job).where(job.c.state == JobState.LEASED).values(values)


def held(tx: Connection, leased: Job) -> Row[int, int | None, int] | None:
    """Return (place id, image id, the file's time in nanoseconds) if that attempt still leases the job."""
    return tx.execute(
        select(place.c.id, place.c.image_id, place.c.mtime_ns)
        .join(job)
        .where(job.c.id == leased.id, job.c.state == JobState.LEASED, job.c.attempts == leased.attempts)
    ).one_or_none()


def done(tx: Connection, job_id: int, now: datetime) -> None:
    tx.execute(
        update(job).where(job.c.id == job_id).values(state=JobState.DONE, **_NO_LEASE, error_code=None, error_params=None, changed_at=now)
    )


def expire(tx: Connection, now: datetime, under_way: Collection[int] = ()) -> list[StoredEvent]:
    """End expired leases: their holder never came back, as after a crash of the engine."""
    return _end_leases(tx, job.c.lease_until <= now, EngineCrashed(), now, under_way)


def end_leases_of(tx: Connection, gone: ColumnElement[bool], now: datetime) -> list[StoredEvent]:
    """End the leases of workers that are gone. A photo is hardly to blame for that, so it gets more attempts than after a crash."""
    return _end_leases(tx, gone, EngineKilled(), now)


def release_leases(tx: Connection, worker: str) -> int:
    """Return all that this worker leases, untried."""
    return tx.execute(_untried().where(job.c.lease_worker == worker)).rowcount


def _end_leases(
    tx: Connection, chosen: ColumnElement[bool], error: AgentError, now: datetime, under_way: Collection[int] = ()
) -> list[StoredEvent]:
    ended = list[StoredEvent]()
    for row in tx.execute(select(job).where(job.c.state == JobState.LEASED, chosen)).all():
        if row.id not in under_way:
            ended += _end(tx, row.id, row.place_id, row.attempts, after_error(row.attempts, error), error, now)
    return ended


def _end(tx: Connection, job_id: int, place_id: int, attempts: int, state: JobState, error: AgentError, now: datetime) -> list[StoredEvent]:
    tx.execute(
        update(job)
        .where(job.c.id == job_id)
        .values(state=state, attempts=attempts, **_NO_LEASE, error_code=error.code, error_params=error.params, changed_at=now)
    )
    if state in (JobState.QUEUED, JobState.DEFERRED):
        return []
    return [event_rows.record(tx, ImageFailed(place_id=place_id, code=error.code, quarantined=state is JobState.QUARANTINED), now)]


def _fresh(place_id: int, priority: int, now: datetime) -> dict[str, object]:
    return {
        "place_id": place_id,
        "state": JobState.QUEUED,
        "priority": int(priority),
        "attempts": 0,
        "changed_at": now,
        "request_id": current_id(),
    }
