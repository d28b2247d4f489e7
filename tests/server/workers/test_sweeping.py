"""What was handed out and is not being worked on is put back, whatever the work queue believes."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text

from agent.domain.events import StoredEvent
from agent.domain.jobs import Job, JobState, Priority
from agent.infrastructure.store.schema import job, worker
from agent.server.workers.dispatcher import shared_of
from agent.server.workers.queries.handout_rows import BATCH, HandoutQueries
from agent.server.workers.queries.work_queue import ASKED_QUEUE, PHOTO_QUEUE
from agent.server.workers.records import Beat, WorkerState
from tests.server.workers.conftest import Team

pytestmark = pytest.mark.timeout(60)
NO_TIME = timedelta()
FETCH = text("SELECT id FROM procrastinate_fetch_job_v2(CAST(:queues AS varchar[]), :worker)")


class Handed:
    """The queries that the server's process and workers use, in this process."""

    def __init__(self, team: Team) -> None:
        self.team = team
        self.batches = HandoutQueries(team.database)

    def hand_out(self) -> int:
        return self.batches.hand_out(shared_of(self.team.settings))

    def fetch(self) -> int:
        """As procrastinate's worker does, whose heart beats."""
        with self.team.database.write() as tx:
            worker = tx.scalar(text("SELECT * FROM procrastinate_register_worker_v1()"))
            return int(tx.execute(FETCH, {"queues": [ASKED_QUEUE, PHOTO_QUEUE], "worker": worker}).scalar_one())

    def take(self, batch: int, limit: int, worker: str) -> list[Job]:
        return self.batches.take_from(batch, limit, worker=worker, lasts=timedelta(hours=1), known=0)[0]

    def sizes(self) -> list[int]:
        """How many photos are in each batch."""
        with self.team.database.read() as tx:
            rows = tx.execute(text("SELECT count(*) FROM job WHERE batch IS NOT NULL GROUP BY batch ORDER BY batch"))
            return [int(count) for (count,) in rows]

    def begin(self, uid: str, name: str = "one", *batches: int) -> None:
        self.team.workers.begin(uid, name, "here")
        self.team.workers.beat(uid, name, "here", Beat(WorkerState.WORKING, 0, 0, 0.0, batches))


@pytest.fixture
def handed(team: Team) -> Handed:
    return Handed(team)


async def test_few_batches_wait_and_none_is_larger_than_sixty_four(team: Team, handed: Handed) -> None:
    team.photos(300, priority=Priority.BACKLOG)
    assert handed.hand_out() == 2
    assert handed.sizes() == [BATCH, BATCH]
    assert handed.hand_out() == 0
    team.photos(3, folder="now", priority=Priority.ASKED)
    assert handed.hand_out() == 1
    assert handed.take(handed.fetch(), 9, "w")[0].priority == Priority.ASKED


async def test_batches_become_smaller_towards_the_end_so_that_workers_finish_together(team: Team, handed: Handed) -> None:
    for uid in ("a", "b"):
        handed.begin(uid, uid)
    team.photos(100)
    handed.hand_out()
    assert handed.sizes() == [25, 19, 14]


async def test_a_batch_that_no_worker_holds_is_put_back_although_its_procrastinate_worker_lives(team: Team, handed: Handed) -> None:
    """As after a restart under the same name: the new process beats for what the old one was doing."""
    team.photos(4)
    handed.hand_out()
    batch = handed.fetch()
    leased = handed.take(batch, 2, "before")
    handed.begin("after")
    team.workers.sweep(silent=timedelta(hours=1), now=team.now())
    assert handed.take(batch, 1, "late")  # it was taken just now: its worker may not have said so yet
    with team.database.write() as tx:
        tx.execute(text("UPDATE procrastinate_events SET at = at - interval '2 hours'"))
    team.workers.sweep(silent=timedelta(hours=1), now=team.now())
    assert handed.take(batch, 9, "late") == []
    assert team.states() == {JobState.QUEUED: 4}
    handed.hand_out()
    again = handed.take(handed.fetch(), 9, "after")
    assert {each.id: each.attempts for each in again}.items() >= {each.id: 2 for each in leased}.items()


async def test_a_batch_that_a_worker_holds_stays(team: Team, handed: Handed) -> None:
    team.photos(4)
    handed.hand_out()
    batch = handed.fetch()
    handed.begin("w", "one", batch)
    handed.take(batch, 2, "w")
    with team.database.write() as tx:
        tx.execute(text("UPDATE procrastinate_events SET at = at - interval '2 hours'"))
    assert team.workers.sweep(silent=timedelta(hours=1), now=team.now()) == []
    assert len(handed.take(batch, 9, "w")) == 2


async def test_a_clock_that_differs_takes_no_photo_from_its_worker(team: Team, handed: Handed) -> None:
    team.photos(2)
    handed.hand_out()
    batch = handed.fetch()
    handed.begin("w", "one", batch)
    handed.take(batch, 1, "w")
    for ahead in (timedelta(days=365), timedelta(days=-365)):
        assert team.workers.sweep(silent=timedelta(hours=1), now=team.now() + ahead) == []
    assert team.states() == {JobState.LEASED: 1, JobState.QUEUED: 1}


async def test_a_photo_whose_worker_died_six_times_is_set_aside(team: Team, handed: Handed) -> None:
    team.photos(1)
    events: list[StoredEvent] = []
    for number in range(6):
        handed.begin(f"w{number}")
        handed.hand_out()
        [taken] = handed.take(handed.fetch(), 1, f"w{number}")
        assert taken.attempts == number + 1
        events = team.workers.sweep(silent=NO_TIME, now=team.now())
    assert len(events) == 1 and team.states() == {JobState.QUARANTINED: 1}


async def test_a_worker_that_ends_in_order_gives_back_untried(team: Team, handed: Handed) -> None:
    team.photos(2)
    handed.begin("w")
    handed.hand_out()
    handed.take(handed.fetch(), 2, "w")
    team.workers.end("w")
    with team.database.read() as tx:
        assert tx.execute(select(job.c.state, job.c.attempts, job.c.batch)).all() == [("queued", 0, None)] * 2
    assert [each.state for each in team.workers.workers()] == [WorkerState.GONE]


async def test_a_worker_that_was_forgotten_is_known_again_and_keeps_what_it_takes(team: Team, handed: Handed) -> None:
    team.photos(2)
    handed.begin("w")
    with team.database.write() as tx:
        tx.execute(delete(worker))  # as after a day of silence, or of a clock that was a day ahead
    handed.hand_out()
    batch = handed.fetch()
    handed.take(batch, 2, "w")
    team.workers.beat("w", "one", "here", Beat(WorkerState.WORKING, 0, 0, 0.0, (batch,)))
    assert team.workers.sweep(silent=timedelta(hours=1), now=team.now()) == []
    with team.database.read() as tx:
        assert tx.execute(select(job.c.state, job.c.attempts)).all() == [("leased", 1)] * 2
    assert [(each.name, each.state) for each in team.workers.workers()] == [("one", WorkerState.WORKING)]


async def test_the_queue_is_told_by_priority(team: Team, handed: Handed) -> None:
    team.photos(3, folder="a", priority=Priority.BACKLOG)
    team.photos(2, folder="b")
    handed.begin("w")
    handed.hand_out()
    handed.take(handed.fetch(), 1, "w")
    told = {each.priority: (each.waiting, each.running, each.failed, each.oldest is None) for each in team.workers.queue()}
    assert told == {0: (0, 0, 0, True), 10: (1, 1, 0, False), 20: (3, 0, 0, False)}
    assert not team.workers.drain("nobody") and team.workers.drain("one")
    assert team.workers.beat("w", "one", "here", Beat(WorkerState.DRAINING, 0, 0, 0.0, ()))
