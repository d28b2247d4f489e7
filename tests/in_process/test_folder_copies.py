"""A watched folder's rule: each file that comes or changes gets its covered copy, once."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agent.domain.errors import StoreBusy
from agent.domain.jobs import Priority
from agent.domain.redaction import PeopleChoice, Style
from agent.features.redaction.copy_records import ItemState, PlannedCopy
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.infrastructure.core.settings import Folder, RecognitionSettings, Settings
from agent.infrastructure.sources.source import FileAppeared, FileMoved, FilesGone
from tests.in_process.test_redact_clips import FakeClips
from tests.support.in_process_agent import World


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


def with_rule(world: World, safe: Path, *, recognition: bool = False, **rule: object) -> Settings:
    folder = Folder(path=str(world.folder), redact_to=str(safe), **rule)
    return Settings(folders=(folder,), recognition=RecognitionSettings(enabled=recognition))


async def appear(world: World, name: str, content: bytes = b"") -> None:
    """As its source tells of it."""
    await world.app.ingest.take(FileAppeared(world.file(name, content), Priority.NEW))


def copied(safe: Path) -> set[str]:
    return {path.relative_to(safe).as_posix() for path in safe.rglob("*") if path.is_file()} if safe.is_dir() else set()


async def test_a_new_file_gets_its_copy_without_a_word(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe, redact_style="mosaic"))
    (world.folder / "trip").mkdir()
    async with world.running(watch=True):
        await appear(world, "图.jpg")
        await appear(world, "trip/b.jpg")
        await world.until(lambda: copied(safe) == {"图.jpg", "trip/b.jpg"})
        await world.until(lambda: world.real.copies_to_make(1) == [])

    assert b"strip=True" in (safe / "图.jpg").read_bytes()
    assert all(cover.look.style is Style.MOSAIC for task in world.renderer.tasks for cover in task.covers)
    [batch] = world.real.redaction_batches(limit=9)
    assert (batch.folder, batch.counts[ItemState.DONE]) == (str(world.folder), 2)


async def test_files_from_before_the_rule_are_left_alone_until_they_change(world: World, safe: Path) -> None:
    world.make(Settings(folders=(Folder(path=str(world.folder)),)))
    async with world.running(watch=True):
        await appear(world, "old.jpg", b"old")
        await world.until(lambda: world.real.counts().images == 1)
        world.slept = timedelta(hours=1)
        await world.app.apply(with_rule(world, safe))
        await appear(world, "new.jpg", b"new")
        await world.until(lambda: copied(safe) == {"new.jpg"})
        await appear(world, "old.jpg", b"changed")
        await world.until(lambda: copied(safe) == {"new.jpg", "old.jpg"})


async def test_a_changed_file_gets_another_copy_and_the_first_one_stays(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.jpg", b"first")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        await world.until(lambda: world.real.copies_to_make(1) == [])
        await appear(world, "a.jpg", b"second, longer")
        await world.until(lambda: copied(safe) == {"a.jpg", "a (2).jpg"})

    assert (safe / "a.jpg").read_bytes().endswith(b"first")
    assert (safe / "a (2).jpg").read_bytes().endswith(b"second, longer")


async def test_the_copy_outlives_its_original(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        (world.folder / "a.jpg").unlink()
        await world.app.ingest.take(FilesGone((str(world.folder / "a.jpg"),)))

    assert copied(safe) == {"a.jpg"}


async def test_what_came_while_the_agent_was_killed_is_made_up_for_and_nothing_twice(world: World, safe: Path) -> None:
    settings = with_rule(world, safe)
    world.make(settings)
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        await world.until(lambda: world.real.copies_to_make(1) == [])
    world.make(settings)
    async with world.running(watch=False):  # it died before it could plan anything
        await appear(world, "b.jpg")
        await world.until(lambda: world.real.counts().images == 2)

    world.make(settings)
    async with world.running(watch=True):
        await world.until(lambda: copied(safe) == {"a.jpg", "b.jpg"})
        await world.until(lambda: world.real.copies_to_make(1) == [])
    assert [Path(task.path).name for task in world.renderer.tasks] == ["a.jpg", "b.jpg"]


async def test_a_file_under_another_name_gets_a_copy_of_that_name(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.jpg", b"content")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        (world.folder / "a.jpg").rename(world.folder / "b.jpg")
        await world.app.ingest.take(FileMoved(str(world.folder / "a.jpg"), replace(world.file("b.jpg", b"content"))))
        await world.until(lambda: copied(safe) == {"a.jpg", "b.jpg"})


async def test_copies_in_a_folder_that_is_watched_itself_are_not_copied_back(world: World, safe: Path) -> None:
    both = (Folder(path=str(world.folder), redact_to=str(safe)), Folder(path=str(safe), redact_to=str(world.folder)))
    world.make(Settings(folders=both))
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        facts = (safe / "a.jpg").stat()
        seen = world.file("a.jpg")
        copy = replace(seen, path=str(safe / "a.jpg"), size=facts.st_size, mtime_ns=facts.st_mtime_ns, folder=str(safe))
        await world.app.ingest.take(FileAppeared(copy, Priority.NEW))
        await world.until(lambda: world.real.counts().images == 2)
        await appear(world, "b.jpg")
        await world.until(lambda: copied(safe) == {"a.jpg", "b.jpg"})

    assert {path.name for path in world.folder.glob("*.jpg")} == {"a.jpg", "b.jpg"}


async def test_whoever_is_kept_is_known_by_name_and_a_name_that_nobody_bears_keeps_nobody(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe, recognition=True, redact_keep=("Mei", "Nobody")))
    async with world.running(watch=True):
        await appear(world, "a.jpg", b"M1")
        await world.until(lambda: copied(safe) == {"a.jpg"})
        await world.app.people.name_face(1, "Mei")
        await appear(world, "b.jpg", b"M2")
        await world.until(lambda: copied(safe) == {"a.jpg", "b.jpg"})

    assert [len(task.covers) for task in world.renderer.tasks] == [1, 0]


async def test_while_nobody_is_recognised_everyone_is_covered(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe, redact_keep=("Mei",)))
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: copied(safe) == {"a.jpg"})
    assert [len(task.covers) for task in world.renderer.tasks] == [1]
    assert await world.app.redaction.copies.known(("Mei",)) == PeopleChoice()


async def test_paused_it_waits(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        world.renderer.gate.clear()
        await appear(world, "a.jpg")
        await world.renderer.busy.wait()
        world.app.indexer.pause()
        world.renderer.gate.set()
        await world.until(lambda: copied(safe) == {"a.jpg"})
        world.file("later.jpg")
        later = PlannedCopy(str(world.folder / "later.jpg"), str(safe / "later.jpg"))
        world.real.plan_more(world.real.redaction_batches(limit=1)[0].uid, [later], now=world.app.now())
        world.app.redaction.work.wake()
        looked = world.library.calls.count("copies_to_make")
        await world.until(lambda: world.library.calls.count("copies_to_make") > looked + 2)
        assert copied(safe) == {"a.jpg"}
        world.app.indexer.resume()
        await world.until(lambda: copied(safe) == {"a.jpg", "later.jpg"})


async def test_a_library_that_is_busy_is_asked_again(world: World, safe: Path) -> None:
    world.make(with_rule(world, safe))
    world.library.failing["uncopied"] = StoreBusy()
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: world.library.calls.count("uncopied") > 2)
        world.library.failing.clear()
        await world.until(lambda: copied(safe) == {"a.jpg"})


def leads_into(folder: Path, link: Path) -> None:
    (folder / "inside").mkdir()
    link.symlink_to(folder / "inside")


async def test_clips_get_their_copies_too(world: World, safe: Path) -> None:
    """Once, also if only their time changes; anew if they do, or their name does; and none while they are in a cloud only."""
    clips = FakeClips()
    world.clips = VideoRedactor(clips, VideoJobFolder(world.folder.parent / "jobs"))
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.mp4", b"clip")
        await world.until(lambda: copied(safe) == {"a.mp4"})
        await world.until(lambda: world.real.copies_to_make(1) == [])
        touched = replace(world.file("a.mp4", b"clip"), mtime_ns=5)
        await world.app.ingest.take(FileAppeared(touched, Priority.NEW))
        world.in_the_cloud.add(str(world.folder / "far.mp4"))
        await appear(world, "far.mp4", b"far")
        await appear(world, "b.jpg")
        await world.until(lambda: copied(safe) == {"a.mp4", "b.jpg"})
        assert len(clips.joins) == 1
        await appear(world, "a.mp4", b"another clip")
        await world.until(lambda: copied(safe) == {"a.mp4", "a (2).mp4", "b.jpg"})
        await world.until(lambda: world.real.copies_to_make(1) == [])
        seen = world.file("a.mp4", b"another clip")
        await world.app.ingest.take(FileAppeared(seen, Priority.NEW))
        (world.folder / "a.mp4").rename(world.folder / "c.mp4")
        await world.app.ingest.take(FileMoved(seen.path, replace(seen, path=str(world.folder / "c.mp4"))))
        await world.until(lambda: copied(safe) == {"a.mp4", "a (2).mp4", "b.jpg", "c.mp4"})

    assert (safe / "a.mp4").read_bytes() == b"covered clip"
    assert (safe / "a (2).mp4").read_bytes() == b"covered another clip"


async def test_a_clip_that_changes_while_it_is_copied_gets_the_copy_of_what_it_is(world: World, safe: Path) -> None:
    clips = FakeClips()
    clips.gate.clear()
    world.clips = VideoRedactor(clips, VideoJobFolder(world.folder.parent / "jobs"))
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.mp4", b"clip")
        await world.until(lambda: bool(clips.draws))
        await appear(world, "a.mp4", b"another clip")
        clips.gate.set()
        await world.until(lambda: copied(safe) == {"a.mp4"})
        await world.until(lambda: world.real.copies_to_make(1) == [])

    assert (safe / "a.mp4").read_bytes() == b"covered another clip"
    [batch] = world.real.redaction_batches(limit=9)
    assert batch.counts[ItemState.DONE] == 1


async def test_a_rule_that_leads_into_its_own_folder_by_a_link_makes_nothing(world: World, safe: Path) -> None:
    leads_into(world.folder, safe)
    world.make(with_rule(world, safe))
    async with world.running(watch=True):
        await appear(world, "a.jpg")
        await world.until(lambda: world.real.counts().images == 1)
    assert copied(world.folder / "inside") == set()
