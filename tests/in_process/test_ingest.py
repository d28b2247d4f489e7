"""What a source saw reaches the library, each kind of change in its way, and nothing is lost while the library can't be written to."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.domain.errors import SourceUnreachable, StoreDiskFull, StoreUnreachable
from agent.domain.events import ImageIndexed, LocationAdded, LocationLost, LocationMoved
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.features.library.ingest import sha256_in_thread
from agent.features.library.records import Noted
from agent.infrastructure.sources.source import FileAppeared, FileMoved, FilesGone, SourceFailed, SourceRecovered, TreeMoved

if TYPE_CHECKING:
    from tests.support.in_process_agent import World


async def indexed(world: World, *files: FileSeen) -> None:
    for seen in files:
        await world.app.ingest.take(FileAppeared(seen))
    await world.until(lambda: len(world.happened) == len(files))
    world.happened.clear()


def moved(seen: FileSeen, name: str) -> FileSeen:
    target = Path(seen.path).with_name(name)
    target.parent.mkdir(exist_ok=True)
    Path(seen.path).rename(target)
    return FileSeen(str(target), seen.size, seen.mtime_ns, seen.folder)


async def test_a_source_is_run_and_what_it_emits_is_indexed(world: World) -> None:
    async with world.running(watch=True):
        await world.source.started.wait()
        assert world.source.emit is not None
        await world.source.emit(FileAppeared(world.file("a")))
        await world.until(lambda: [type(recorded.event) for recorded in world.happened] == [ImageIndexed])
        await world.app.rescan()
    assert world.source.rescans == 1


async def test_a_copy_of_a_known_photo_is_attached_without_being_analysed(world: World) -> None:
    async with world.running():
        await indexed(world, world.file("a", b"same"))
        noted = await world.app.ingest.note(world.file("b", b"same"), Priority.NEW)
        assert noted is Noted.ATTACHED
        assert [type(recorded.event) for recorded in world.happened] == [LocationAdded]
    assert len(world.analyser.tasks) == 1


async def test_another_photo_of_the_same_size_is_analysed(world: World) -> None:
    async with world.running():
        await indexed(world, world.file("a", b"1234"), world.file("b", b"5678"))
    assert len(world.analyser.tasks) == 2 and world.real.counts().images == 2


@pytest.mark.skipif(os.name != "posix", reason="pipes with names are POSIX's")
async def test_a_pipe_with_a_photo_s_name_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert [await sha256_in_thread(each) for each in (str(tmp_path / "pipe.jpg"), str(tmp_path), "a\0b")] == ["", "", ""]


async def test_a_file_that_cant_be_read_is_left_for_the_engine_to_name_the_reason(world: World) -> None:
    assert await sha256_in_thread("/no/such/file") == ""
    async with world.running():
        await indexed(world, world.file("a", b"1234"))
        gone = replace(world.file("b", b"5678"), path=str(world.folder / "gone"))
        assert await world.app.ingest.note(gone, Priority.NEW) is Noted.QUEUED
        await world.until(lambda: bool(world.happened))
    place = world.real.place(gone.path)
    assert place is not None and place.error is not None and place.error.code == "image.missing"


async def test_a_moved_file_keeps_its_faces(world: World) -> None:
    seen = world.file("a")
    async with world.running():
        await indexed(world, seen)
        await world.app.ingest.take(FileMoved(seen.path, new := moved(seen, "b")))
        assert [type(recorded.event) for recorded in world.happened] == [LocationMoved]
        place = world.real.place(new.path)
        assert place is not None and place.image_id is not None and world.real.place(seen.path) is None
    assert len(world.analyser.tasks) == 1


async def test_a_file_that_also_changed_while_it_moved_is_analysed_anew(world: World) -> None:
    seen = world.file("a")
    async with world.running():
        await indexed(world, seen)
        new = world.file("b", b"longer content")
        await world.app.ingest.take(FileMoved(seen.path, new))
        await world.until(lambda: len(world.analyser.tasks) == 2)


async def test_a_renamed_folder_and_vanished_files_are_followed(world: World) -> None:
    (world.folder / "old").mkdir()
    seen = world.file("old/a")
    async with world.running():
        await indexed(world, seen)
        await world.app.ingest.take(TreeMoved(str(world.folder / "old"), str(world.folder / "new")))
        await world.app.ingest.take(FilesGone((str(world.folder / "new"),)))
        assert [type(recorded.event) for recorded in world.happened] == [LocationMoved, LocationLost]


async def test_a_folders_trouble_is_in_the_status_until_it_is_over(world: World) -> None:
    told: list[int] = []
    world.app.status.listen(lambda status: told.append(len(status.folder_problems)))
    async with world.running():
        await world.until(lambda: told == [0])
        await world.app.ingest.take(SourceFailed("/photos", SourceUnreachable()))
        await world.until(lambda: told == [0, 1])
        await world.app.ingest.take(SourceRecovered("/photos"))
        await world.until(lambda: told == [0, 1, 0])
        await world.app.ingest.take(SourceRecovered("/never/failed"))
    assert world.app.ingest.folder_problems == {}


@pytest.mark.parametrize("method", ["note_file", "file_moved"])
async def test_while_the_library_is_full_the_source_waits_and_nothing_is_lost(world: World, method: str) -> None:
    told: list[str | None] = []
    world.app.status.listen(lambda status: told.append(status.problem.code if status.problem else None))
    seen = world.file("a")
    change = FileAppeared(seen) if method == "note_file" else FileMoved("/old", seen)
    async with world.running():
        world.library.failing[method] = StoreDiskFull()
        taking = asyncio.create_task(world.app.ingest.take(change))
        await world.until(lambda: told[-1:] == ["store.disk_full"])
        assert not taking.done()
        world.library.failing.clear()
        await taking
        await world.until(lambda: world.real.counts().jobs.get(JobState.DONE) == 1)
        await world.until(lambda: told[-1:] == [None])


async def test_what_was_stored_without_an_answer_is_analysed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks under a commit doesn't say that it was made."""
    note, errors = world.real.note_file, [StoreUnreachable()]

    def unanswered(*values: Any, **named: Any) -> Any:
        noted = note(*values, **named)
        if noted[0] is Noted.QUEUED and errors:
            raise errors.pop()
        return noted

    async with world.running():
        await indexed(world, world.file("a"))
        await world.until(lambda: world.app.indexer.running == 0)
        monkeypatch.setattr(world.library, "note_file", unanswered)
        await world.app.ingest.take(FileAppeared(world.file("b")))
        await world.until(lambda: world.real.counts().jobs.get(JobState.DONE) == 2)
