"""A scan says what came of each file, each once, in the order they end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import EngineCrashed, EngineStartFailed, ImageCorrupt, ModelUnreachable
from agent.domain.events import ImageFailed, StoredEvent
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.features.library.scan import ScanOutcome
from tests.support.in_process_agent import NOW

if TYPE_CHECKING:
    from tests.support.in_process_agent import World


async def scan(world: World, *files: FileSeen, embeddings: bool = False) -> list[ScanOutcome]:
    return [scanned async for scanned in world.app.scan(files, embeddings=embeddings)]


async def test_each_file_comes_once_with_what_the_library_holds(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.scan.WINDOW", 4)
    files = [world.file(f"photo {number}") for number in range(10)]
    async with world.running():
        scanned = await scan(world, *files)
    assert sorted(one.path for one in scanned) == sorted(seen.path for seen in files)
    assert all(one.error is None and len(one.faces) == 1 and (one.width, one.height) == (100, 80) for one in scanned)
    assert len({one.sha256 for one in scanned}) == 10 and scanned[0].ms is not None


async def test_files_known_already_are_told_without_being_analysed(world: World) -> None:
    seen, copy = world.file("a", b"same"), world.file("b", b"same")
    async with world.running():
        (first,) = await scan(world, seen)
        again, other = await scan(world, seen, copy)
    assert again == first and other == replace(first, path=copy.path)
    assert len(world.analyser.tasks) == 1


async def test_more_files_than_a_window_are_all_told_when_all_are_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.scan.WINDOW", 4)
    files = [world.file(f"photo {number}") for number in range(10)]
    async with world.running():
        first = await scan(world, *files)
        again = await scan(world, *files)
        fresh = [world.file("photo 4, changed"), world.file("photo 9, changed")]
        grown = await scan(world, *files[:5], fresh[0], *files[5:], fresh[1])
    assert [one.path for one in again] == [seen.path for seen in files]
    assert sorted(one.path for one in first) == sorted(one.path for one in again)
    assert len(grown) == 12 and len(world.analyser.tasks) == 12


async def test_an_event_of_an_earlier_job_does_not_end_the_wait_for_a_file(world: World) -> None:
    seen = world.file("a")
    world.analyser.gate.clear()
    async with world.running():
        scanning = asyncio.create_task(scan(world, seen))
        await world.until(lambda: bool(world.analyser.tasks))
        state = await asyncio.to_thread(world.real.place, seen.path)
        assert state is not None
        world.app.bus.publish([StoredEvent(0, NOW, ImageFailed(place_id=state.place_id, code="image.corrupt"))])
        await world.until(lambda: world.library.calls.count("place") >= 2)
        world.analyser.gate.set()
        (one,) = await scanning
    assert one.error is None and len(one.faces) == 1


async def test_files_come_in_the_order_they_end(world: World) -> None:
    quick, slow = world.file("quick"), world.file("slow")
    async with world.running():
        await scan(world, quick)
        world.analyser.gate.clear()
        coming = world.app.scan([slow, quick])
        assert (await anext(coming)).path == quick.path
        world.analyser.gate.set()
        assert (await anext(coming)).path == slow.path
        await coming.aclose()  # type: ignore[attr-defined]


async def test_a_file_that_fails_comes_with_its_reason_and_is_tried_again_when_asked_for(world: World) -> None:
    bad, good = world.file("bad"), world.file("good")
    world.analyser.errors[bad.path] = [ImageCorrupt()]
    async with world.running():
        scanned = {one.path: one for one in await scan(world, bad, good)}
        assert isinstance(scanned[bad.path].error, ImageCorrupt) and scanned[good.path].error is None
        (again,) = await scan(world, bad)
        assert again.error is None


async def test_a_file_that_is_not_there_is_missing(world: World) -> None:
    async with world.running():
        (one,) = await scan(world, FileSeen(str(world.folder / "gone"), 0, 0))
    assert one.error is not None and one.error.code == "image.missing"


async def test_a_file_that_vanishes_while_it_waits_is_missing(world: World) -> None:
    seen = world.file("a")
    world.app.indexer.pause()
    async with world.running():
        scanning = asyncio.create_task(scan(world, seen))
        await world.until(lambda: world.real.place(seen.path) is not None)
        await asyncio.to_thread(world.real.counts)
        world.app.bus.publish(world.real.files_gone([seen.path], now=world.app.now()))
        (one,) = await scanning
    assert one.error is not None and one.error.code == "image.missing"


async def test_prints_that_are_asked_for_are_told_and_stored_nowhere(world: World) -> None:
    async with world.running():
        (one,) = await scan(world, world.file("a", b"m1"), embeddings=True)
    assert one.faces[0].embedding and any(recipe.embedder for recipe in world.supplied)
    assert list(world.real.prints("mobilefacenet-2")) == []
    assert not any(task.keep_chips for task in world.analyser.tasks if task.recipe.embedder)


async def test_a_file_whose_prints_cant_be_had_is_an_error(world: World) -> None:
    seen = world.file("a")
    async with world.running():
        await scan(world, seen)
        world.analyser.always = EngineCrashed()
        (one,) = await scan(world, seen, embeddings=True)
    assert isinstance(one.error, EngineCrashed)


async def test_a_scan_ends_with_what_stops_all_work_instead_of_waiting_for_ever(world: World) -> None:
    world.analyser.always = EngineStartFailed()
    async with world.running():
        with pytest.raises(EngineStartFailed):
            await scan(world, world.file("a"))
    jobs = world.real.counts().jobs
    assert jobs.get(JobState.QUEUED, 0) + jobs.get(JobState.LEASED, 0) == 1  # it waits, or was being tried once more


async def test_without_a_model_nothing_is_begun(world: World) -> None:
    world.supply_error = ModelUnreachable(model="centerface", sources=2)
    async with world.running():
        with pytest.raises(ModelUnreachable):
            await scan(world, world.file("a"))
    assert not any(world.real.counts().jobs.values())


async def test_a_scan_hurries_files_that_wait(world: World) -> None:
    first, second = world.file("first"), world.file("second")
    world.app.indexer.pause()
    async with world.running():
        for seen in (first, second):
            await world.app.ingest.note(seen, Priority.BACKLOG)
        scanning = asyncio.create_task(scan(world, second))
        await world.until(lambda: world.library.calls.count("place") == 1)
        world.app.indexer.resume()
        await scanning
    assert world.analyser.tasks[0].path == second.path
