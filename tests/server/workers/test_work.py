"""Several workers share a library's photos: each is analysed once, whatever ends them."""

import asyncio
import random
import signal
from functools import partial
from pathlib import Path

import pytest
from psycopg_pool import AsyncConnectionPool

from agent.app.worker_process import WorkerEdges, work
from agent.domain.errors import ModelMissing
from agent.domain.jobs import JobState, Priority
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.server.workers.records import WorkerState
from agent.server.workers.schemas import WorkerOut
from tests.server.workers.conftest import Team, ended
from tests.support.in_process_agent import FakeMatcher
from tests.support.worker_process import CRASH, LACKS, MODEL, engine

pytestmark = pytest.mark.timeout(180)


async def test_four_workers_do_four_hundred_photos_once_each_though_one_is_killed(team: Team) -> None:
    team.photos(400)
    async with team.server():
        first, *_ = [await team.start(f"w{number}", pause=0.02) for number in range(4)]
        await team.until(lambda: team.done() >= 40)
        assert await ended(first, signal.SIGKILL) == -signal.SIGKILL
        await team.until_done(400)
        team.check_each_once(400)
        await team.until(lambda: len(team.living()) == 3)
        await team.until(lambda: team.batches_left() == 0)


@pytest.mark.parametrize("seed", [18])
async def test_a_worker_that_is_killed_ten_times_loses_and_doubles_nothing(team: Team, seed: int) -> None:
    chance = random.Random(seed)
    team.photos(150)
    async with team.server():
        await team.start("steady", pause=0.05)
        for _ in range(10):
            worker = await team.start("again", pause=0.05)  # under the same name
            await team.until(lambda: "again" in team.living())
            goal = min(150, team.done() + chance.randrange(12))
            await team.until(partial(_has_done, team, goal))
            await ended(worker, signal.SIGKILL)
        await team.until_done(150)
        team.check_each_once(150)


async def test_a_photo_that_crashes_its_engine_is_set_aside_and_the_rest_is_done(team: Team) -> None:
    team.photos(1, folder="bad", content=CRASH)
    team.photos(80)
    async with team.server():
        workers = [await team.start(name) for name in ("one", "two")]
        await team.until(lambda: team.states() == {JobState.DONE: 80, JobState.QUARANTINED: 1})
        assert [worker.returncode for worker in workers] == [None, None]
        await team.until(lambda: sum(each.errors for each in team.workers.workers()) == 1)


async def test_a_blocked_worker_says_why_until_it_works_again(team: Team) -> None:
    [path] = team.photos(1, content=LACKS)
    async with team.server():
        worker = await team.start("one")
        await team.until(lambda: [each.state for each in team.workers.workers()] == [WorkerState.BLOCKED])
        [blocked] = [WorkerOut.of(each, Texts("en")) for each in team.workers.workers()]
        assert blocked.problem is not None
        assert blocked.problem.code == ModelMissing.code and MODEL in blocked.problem.cause and "models fetch" in blocked.problem.remedy
        await asyncio.to_thread(Path(path).write_bytes, b"a photo")
        await team.until_done(1)
        await team.until(lambda: [(each.state, each.problem) for each in team.workers.workers()] == [(WorkerState.IDLE, None)])
        assert await ended(worker) == 0


async def test_a_drained_worker_gives_back_what_it_has_not_begun_and_finishes_the_rest(team: Team) -> None:
    held = team.photos(20, folder="held")
    async with team.server() as app:
        worker = await team.start("one")
        await team.until(lambda: team.states().get(JobState.LEASED, 0) == 4)
        app.indexer.pause()
        assert team.workers.drain("one")
        await team.until(lambda: [each.state for each in team.workers.workers()] == ["draining"])
        (team.folder / "held" / "go").touch()
        assert await worker.wait() == 0
        assert team.states() == {JobState.DONE: 4, JobState.QUEUED: 16}
        assert team.living() == []
        await team.start("two")
        app.indexer.resume()
        await team.until_done(len(held))
        team.check_each_once(len(held))


async def test_what_is_not_finished_in_time_is_given_back_untried(team: Team) -> None:
    team.photos(6, folder="held")
    async with team.server() as app:
        worker = await team.start("one", drain_s=0.2)
        await team.until(lambda: team.states().get(JobState.LEASED, 0) == 4)
        app.indexer.pause()
        assert await ended(worker) == 0
        assert team.states() == {JobState.QUEUED: 6}
        jobs, _ = team.library.lease(6, now=app.now(), until=app.now())
        assert {job.attempts for job in jobs} == {1}


async def test_a_second_signal_ends_a_worker_at_once_and_the_sweeper_puts_its_photos_back(team: Team) -> None:
    team.photos(4, folder="held")
    async with team.server():
        worker = await team.start("one", drain_s=3_600)
        await team.until(lambda: team.states().get(JobState.LEASED, 0) == 4)
        worker.send_signal(signal.SIGTERM)
        await team.until(lambda: [each.state for each in team.workers.workers()] == ["draining"])
        assert await ended(worker) == 143
        await team.until(lambda: team.living() == [])
        (team.folder / "held" / "go").touch()
        await team.start("one")
        await team.until_done(4)
        team.check_each_once(4)


async def test_what_a_person_waits_for_goes_before_an_archive_that_was_queued_earlier(team: Team) -> None:
    archive = team.photos(300, folder="archive", priority=Priority.BACKLOG)
    async with team.server() as app:
        await team.start("one", pause=0.05)
        await team.until(lambda: team.done() > 5)
        team.photos(3, folder="now", priority=Priority.ASKED)
        app.indexer.wake()
        await team.until(lambda: _done_of(team, "now") == 3)
        assert _done_of(team, "archive") < len(archive) // 2


def _has_done(team: Team, goal: int) -> bool:
    return team.done() >= goal


def _done_of(team: Team, folder: str) -> int:
    places = [team.library.place(str(path)) for path in (team.folder / folder).iterdir()]
    return sum(place is not None and place.image_id is not None for place in places)


async def test_an_idle_worker_whose_database_is_gone_ends_without_waiting_for_it(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = AsyncConnectionPool.__init__.__kwdefaults__
    assert usual
    monkeypatch.setitem(usual, "timeout", 3_600.0)  # longer than the test may take
    monkeypatch.setattr("agent.server.workers.worker.CONNECTION_S", 0.1)
    stop, edges = asyncio.Event(), WorkerEdges(engine(0), lambda references: FakeMatcher(references.read))
    working = asyncio.create_task(work(Settings(), team.opened_again(), team.url, "idle", edges, stop, drain_s=0.1))
    await team.until(lambda: team.fetching() == 2)
    await asyncio.to_thread(team.lock_out)
    stop.set()
    await working
    await asyncio.to_thread(team.let_in)
