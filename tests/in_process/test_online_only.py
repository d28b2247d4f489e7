"""Files whose content lies in a cloud: known, shown, and not read before the user asks for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from agent.domain.jobs import JobState, Priority
from agent.features.library.previews import Previews
from agent.infrastructure.core import abandonable_calls
from agent.infrastructure.sources.source import FileAppeared, FilesGone

if TYPE_CHECKING:
    from agent.domain.image import FileSeen
    from tests.support.in_process_agent import World


async def deferred(world: World, name: str, content: bytes = b"") -> FileSeen:
    """A file of the cloud that the running agent has put off."""
    seen = world.file(name, content)
    world.in_the_cloud.add(seen.path)
    before = world.real.counts().jobs[JobState.DEFERRED]
    await world.app.ingest.apply(FileAppeared(seen))
    await world.until(lambda: world.real.counts().jobs[JobState.DEFERRED] == before + 1)
    return seen


async def test_it_is_told_apart_from_failures_and_not_read(world: World) -> None:
    async with world.running():
        seen = await deferred(world, "a.jpg")
        status = await world.app.status.now()
    assert world.analyser.tasks == [] and world.happened == []
    assert (status.online_only, status.failed, status.queued) == (1, 0, 0)
    [place] = world.real.deferred(limit=9).items
    assert place.path == seen.path and place.error is not None and place.error.code == "image.online_only"
    assert world.real.problems(limit=9).items == ()


async def test_a_rescan_tells_of_it_each_time_and_makes_no_work_of_it(world: World) -> None:
    async with world.running():
        seen = await deferred(world, "a.jpg")
        assert dict(world.real.known_files(str(world.folder)))[seen.path] == (seen.size, -1)
        await world.app.ingest.apply(FileAppeared(seen, Priority.BACKLOG))
        assert world.real.counts().jobs[JobState.DEFERRED] == 1


async def test_once_its_content_has_come_it_is_looked_at_by_itself(world: World) -> None:
    async with world.running():
        seen = await deferred(world, "a.jpg")
        world.in_the_cloud.clear()
        await world.app.ingest.apply(FileAppeared(seen, Priority.BACKLOG))
        await world.until(lambda: world.real.counts().images == 1)
    assert dict(world.real.known_files(str(world.folder)))[seen.path] == (seen.size, seen.mtime_ns)


class DeadDrive:
    """In the place of what is known of files in the cloud: it answers once, when a file is found on it, and never again."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = 0

    def __contains__(self, path: object) -> bool:
        self.asked += 1
        return self.asked > 1 and self.answers.wait(60)


async def test_a_drive_that_does_not_answer_where_its_files_are_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = DeadDrive()
    monkeypatch.setattr(world, "in_the_cloud", drive)
    monkeypatch.setattr(abandonable_calls, "ANSWER_S", 0.01)
    try:
        async with world.running():
            await world.app.ingest.apply(FileAppeared(world.file("a.jpg")))
            # Whoever reads it says what is wrong with it; here nothing is.
            await world.until(lambda: world.real.counts().images == 1)
            pictures = Previews(world.app.library, world.analyser, lambda path: path in world.in_the_cloud)
            assert await pictures.get(1, 480, fetch=False)
            assert drive.asked == 3
    finally:
        drive.answers.set()


async def test_asked_for_it_is_read_though_it_lies_in_the_cloud(world: World) -> None:
    async with world.running():
        first, second = [await deferred(world, name) for name in ("a.jpg", "bb.jpg")]
        [place] = [place for place in world.real.deferred(limit=9).items if place.path == first.path]
        assert await world.app.problems.fetch(place.place_id) == 1
        await world.until(lambda: world.real.counts().images == 1)
        assert await world.app.problems.fetch() == 1
        await world.until(lambda: world.real.counts().images == 2)
    assert [task.path for task in world.analyser.tasks] == [first.path, second.path]


async def test_scanned_by_hand_it_is_read(world: World) -> None:
    async with world.running():
        seen = await deferred(world, "a.jpg")
        [scanned] = [each async for each in world.app.scan([seen])]
    assert scanned.error is None and len(scanned.faces) == 1


async def test_it_is_not_read_for_its_hash_either(world: World) -> None:
    async with world.running():
        await world.app.ingest.apply(FileAppeared(world.file("a.jpg", b"same")))
        await world.until(lambda: world.real.counts().images == 1)
        await deferred(world, "b.jpg", b"same")
    assert len(world.analyser.tasks) == 1, "its content is known, but finding that out would have fetched it"


async def test_gone_from_the_cloud_it_is_forgotten(world: World) -> None:
    async with world.running():
        seen = await deferred(world, "a.jpg")
        await world.app.ingest.apply(FilesGone((seen.path,)))
    assert world.real.deferred(limit=9).items == ()
