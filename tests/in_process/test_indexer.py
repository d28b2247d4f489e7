"""Every job ends, whatever happens to it, and what stops the work stops it only as long as it lasts."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import (
    AgentError,
    EngineCrashed,
    EngineKilled,
    EngineStartFailed,
    EngineTimeout,
    ImageChanged,
    ImageCorrupt,
    ModelMissing,
    StoreBusy,
    StoreDiskFull,
    Unexpected,
)
from agent.domain.events import ImageFailed, ImageIndexed
from agent.domain.image import FileSeen
from agent.domain.jobs import MAX_ATTEMPTS, MAX_ATTEMPTS_KILLED, JobState, Priority
from agent.infrastructure.core.settings import Settings

if TYPE_CHECKING:
    from tests.support.in_process_agent import World

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def note(world: World, *names: str) -> list[FileSeen]:
    files = [world.file(name) for name in names]
    for seen in files:
        await world.app.ingest.note(seen, Priority.NEW)
    return files


def jobs(world: World) -> dict[JobState, int]:
    return {state: count for state, count in world.real.counts().jobs.items() if count}


async def test_every_noted_file_is_indexed_and_told_once(world: World) -> None:
    async with world.running():
        await note(world, "a", "b", "c", "d", "e")
        await world.until(lambda: len(world.happened) == 5)
    assert {type(recorded.event) for recorded in world.happened} == {ImageIndexed}
    assert jobs(world) == {JobState.DONE: 5} and world.app.indexer.running == 0


async def test_files_noted_before_the_start_are_indexed_too(world: World) -> None:
    await note(world, "a", "b", "c")
    async with world.running():
        await world.until(lambda: jobs(world) == {JobState.DONE: 3})


@pytest.mark.parametrize(
    ("error", "attempts", "state"),
    [
        (ImageCorrupt(), 1, JobState.FAILED),
        (ImageChanged(), MAX_ATTEMPTS_KILLED, JobState.FAILED),
        (EngineCrashed(), MAX_ATTEMPTS, JobState.QUARANTINED),
        (EngineTimeout(seconds=60), MAX_ATTEMPTS, JobState.QUARANTINED),
        (EngineKilled(), MAX_ATTEMPTS_KILLED, JobState.QUARANTINED),
    ],
)
async def test_a_file_that_always_fails_ends_with_its_reason_and_the_rest_goes_on(
    world: World, error: AgentError, attempts: int, state: JobState
) -> None:
    bad = world.file("bad")
    world.analyser.errors[bad.path] = [error] * 100
    async with world.running():
        await world.app.ingest.note(bad, Priority.NEW)
        await note(world, "a", "b", "c")
        await world.until(lambda: len(world.happened) == 4)
    place = world.real.place(bad.path)
    assert place is not None and place.job is state and place.error is not None
    assert (place.error.code, place.error.params) == (error.code, error.params)
    assert sum(task.path == bad.path for task in world.analyser.tasks) == attempts
    (failed,) = [recorded.event for recorded in world.happened if isinstance(recorded.event, ImageFailed)]
    assert failed.quarantined == (state is JobState.QUARANTINED)


async def test_one_crash_is_forgiven(world: World) -> None:
    once = world.file("once")
    world.analyser.errors[once.path] = [EngineCrashed()]
    async with world.running():
        await world.app.ingest.note(once, Priority.NEW)
        await world.until(lambda: jobs(world) == {JobState.DONE: 1})
    assert len(world.analyser.tasks) == 2


async def test_a_defect_of_the_program_costs_one_file_and_is_named(world: World) -> None:
    world.analyser.defect = ZeroDivisionError()
    async with world.running():
        (seen,) = await note(world, "a")
        await world.until(lambda: jobs(world) == {JobState.FAILED: 1})
        world.analyser.defect = None
        await note(world, "b")
        await world.until(lambda: jobs(world) == {JobState.FAILED: 1, JobState.DONE: 1})
    place = world.real.place(seen.path)
    assert place is not None and isinstance(place.error, Unexpected) and place.error.params == {"kind": "ZeroDivisionError"}


@pytest.mark.parametrize("error", [ModelMissing(model="centerface"), EngineStartFailed(), StoreBusy()])
async def test_what_stops_all_work_is_told_tried_again_and_costs_no_attempt(world: World, error: AgentError) -> None:
    world.analyser.always = error
    async with world.running():
        await note(world, "a", "b", "c", "d")
        await world.until(lambda: world.app.indexer.stuck is not None)
        assert world.app.indexer.problem is error and JobState.DONE not in jobs(world)
        world.analyser.always = None
        await world.until(lambda: jobs(world) == {JobState.DONE: 4})
        assert world.app.indexer.problem is None and world.app.indexer.stuck is None


async def test_while_the_work_is_stopped_new_files_do_not_hurry_it_but_a_mended_cause_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.features.library.indexer.RETRY_AFTER_S", (60.0,))
    world.analyser.always = ModelMissing(model="centerface")
    async with world.running():
        await world.until(lambda: bool(world.supplied))
        await note(world, "a")
        # The start itself says "mended" once, which brings one more try at once: only then the long wait begins.
        indexer = world.app.indexer
        await world.until(lambda: indexer.problem is not None and indexer.running == 0 and not indexer._mended.is_set())
        tried = len(world.analyser.tasks)
        await note(world, "b", "c", "d")
        assert len(world.analyser.tasks) == tried
        world.analyser.always = None
        world.app.indexer.mended()
        await world.until(lambda: jobs(world) == {JobState.DONE: 4})


async def test_several_jobs_that_meet_one_obstacle_count_as_one_try(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.indexer.RETRY_AFTER_S", (0.001, 60.0))
    await note(world, "a", "b", "c", "d")
    world.analyser.gate.clear()
    async with world.running():
        await world.until(lambda: len(world.analyser.tasks) == 2)
        world.analyser.always = ModelMissing(model="centerface")
        world.analyser.gate.set()
        await world.until(lambda: len(world.analyser.tasks) == 3)
        world.analyser.always = None
        world.app.indexer.mended()
        await world.until(lambda: jobs(world) == {JobState.DONE: 4})


@pytest.mark.parametrize("method", ["lease", "commit"])
async def test_a_library_that_cant_be_written_to_stops_the_work_until_it_can(world: World, method: str) -> None:
    world.library.failing[method] = StoreDiskFull()
    async with world.running():
        await note(world, "a", "b", "c")
        await world.until(lambda: world.app.indexer.stuck is not None)
        del world.library.failing[method]
        await world.until(lambda: jobs(world) == {JobState.DONE: 3})
        assert world.app.indexer.problem is None


@pytest.mark.parametrize("ending", [None, ImageCorrupt()])
async def test_a_job_that_the_library_cant_take_back_is_owed_not_lost(world: World, ending: AgentError | None) -> None:
    seen = world.file("a")
    if ending is not None:
        world.analyser.errors[seen.path] = [ending]
    world.library.failing = {name: StoreDiskFull() for name in ("commit", "fail", "release")}
    async with world.running():
        await world.app.ingest.note(seen, Priority.NEW)
        await world.until(lambda: world.app.indexer.stuck is not None)
        assert jobs(world) == {JobState.LEASED: 1}
        world.library.failing.clear()
        await world.until(lambda: jobs(world) == {JobState.DONE: 1})


async def test_a_problem_is_over_when_nothing_waits_any_more(world: World) -> None:
    world.library.failing["lease"] = StoreBusy()
    async with world.running():
        world.app.indexer.wake()
        await world.until(lambda: world.app.indexer.problem is not None)
        world.library.failing.clear()
        await world.until(lambda: world.app.indexer.problem is None)


async def test_paused_it_ends_what_is_under_way_and_starts_nothing(world: World) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await note(world, "a", "b", "c", "d", "e")
        await world.until(lambda: len(world.analyser.tasks) == 2)
        world.app.indexer.pause()
        world.analyser.gate.set()
        await world.until(lambda: world.app.indexer.running == 0)
        assert jobs(world) == {JobState.DONE: 2, JobState.QUEUED: 3} and len(world.analyser.tasks) == 2
        world.app.indexer.resume()
        await world.until(lambda: jobs(world) == {JobState.DONE: 5})


async def test_at_quit_jobs_under_way_are_given_back_untried(world: World) -> None:
    await note(world, "a", "b", "c")
    world.analyser.gate.clear()
    task = asyncio.create_task(world.app.run(watch=False))
    await world.until(lambda: len(world.analyser.tasks) == 2)
    task.cancel()
    await asyncio.wait([task])
    assert jobs(world) == {JobState.QUEUED: 3} and world.analyser.closed
    assert {job.attempts for job in world.real.lease(10, now=NOW, until=NOW)[0]} == {1}


async def test_at_quit_a_lease_that_is_just_taken_is_given_back(world: World) -> None:
    await note(world, "a")
    loop, leasing, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()

    def hold(name: str) -> None:
        if name == "lease":
            loop.call_soon_threadsafe(leasing.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(5)

    world.library.called = hold
    task = asyncio.create_task(world.app.run(watch=False))
    await leasing.wait()
    task.cancel()
    loop.call_soon(go_on.set)
    await asyncio.wait([task])
    assert jobs(world) == {JobState.QUEUED: 1} and world.analyser.tasks == []


async def test_at_rest_nothing_is_under_way_whatever_is_pressed(world: World) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await note(world, "a", "b", "c")
        await world.until(lambda: len(world.analyser.tasks) == 2)
        asyncio.get_running_loop().call_soon(world.analyser.gate.set)
        async with world.app.indexer.at_rest():
            assert world.app.indexer.running == 0 and not world.app.indexer.paused
            world.app.indexer.resume()
            world.app.indexer.wake()
            await asyncio.to_thread(world.real.counts)
            assert world.app.indexer.running == 0 and len(world.analyser.tasks) == 2
        await world.until(lambda: jobs(world) == {JobState.DONE: 3})


async def test_a_pause_during_a_rest_outlasts_it(world: World) -> None:
    async with world.running():
        async with world.app.indexer.at_rest():
            world.app.indexer.pause()
        await note(world, "a")
        await asyncio.to_thread(world.real.counts)
        assert world.app.indexer.paused and world.analyser.tasks == []


async def test_a_rest_that_is_given_up_does_not_stop_the_work(world: World) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await note(world, "a")
        await world.until(lambda: bool(world.analyser.tasks))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), world.app.indexer.at_rest():
                pytest.fail("a job is under way")
        world.analyser.gate.set()
        await note(world, "b")
        await world.until(lambda: jobs(world) == {JobState.DONE: 2})


async def test_an_opinion_that_cant_be_formed_costs_no_photo(world: World) -> None:
    world.make(Settings.model_validate({"recognition": {"enabled": True}}))
    async with world.running():
        await note(world, "a")
        await world.until(lambda: jobs(world) == {JobState.DONE: 1})
        (image,) = world.real.images(limit=1)
        await world.app.people.name_face(image.faces[0].id, "Mei")
        seen = world.file("a2", b"another")

        async def name_meanwhile() -> None:
            world.matcher.before = fail

        async def fail() -> None:
            raise EngineCrashed

        world.matcher.before = name_meanwhile
        await world.app.ingest.note(seen, Priority.NEW)
        await world.until(lambda: jobs(world) == {JobState.DONE: 2})
        await world.until(lambda: sum(isinstance(recorded.event, ImageIndexed) for recorded in world.happened) == 2)


async def test_a_clock_that_leaps_ends_no_job_under_way(world: World) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await note(world, "a")
        await world.until(lambda: len(world.analyser.tasks) == 1)
        world.slept = timedelta(hours=8)
        await note(world, "b")
        await world.until(lambda: len(world.analyser.tasks) == 2)
        assert jobs(world) == {JobState.LEASED: 2}
        world.analyser.gate.set()
        await world.until(lambda: jobs(world) == {JobState.DONE: 2})
    assert len(world.analyser.tasks) == 2


async def test_who_listens_is_told_of_a_lease_that_ran_out_for_good(world: World) -> None:
    async with world.running():
        await note(world, "a")
        await world.until(lambda: jobs(world) == {JobState.DONE: 1})
        world.app.indexer.pause()
        await world.until(lambda: not world.app.indexer.running)  # nor does it look for more
        await note(world, "b")
        for _ in range(2):  # whoever takes it never comes back
            world.real.lease(1, now=NOW, until=NOW)
        world.app.indexer.resume()
        await world.until(lambda: jobs(world) == {JobState.DONE: 1, JobState.QUARANTINED: 1})
        await world.until(lambda: any(isinstance(recorded.event, ImageFailed) for recorded in world.happened))


def test_no_work_is_looked_for_unless_it_was_held(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[None] = []
    monkeypatch.setattr(world.app.indexer, "wake", lambda: woken.append(None))
    for held, looks in ((False, 0), (True, 0), (True, 0), (False, 1)):
        world.app.indexer.hold(held)
        assert len(woken) == looks
