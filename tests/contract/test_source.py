"""What every source of photos in folders does, whether the system tells of changes or is asked at intervals."""

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from agent.domain.jobs import Priority
from agent.infrastructure.core.settings import Folder, SourceSettings
from agent.infrastructure.sources.folder.folder_observer import TELLS_OF_CLOSING
from agent.infrastructure.sources.folder.folder_source import FolderSource
from agent.infrastructure.sources.source import (
    Change,
    FileAppeared,
    FileMoved,
    FilesGone,
    SidecarChanged,
    Source,
    SourceFailed,
    SourceRecovered,
    TreeMoved,
)

C = TypeVar("C", bound=Change)
LONG_AGO = 1_000_000_000


@pytest.fixture(params=["told", "asked"])
def polling(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "asked")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "note.txt").touch()  # never empty: an empty folder may be a disk that is not there
    return folder


class World:
    """A running source, what the library knows, and what was emitted."""

    def __init__(self, polling: bool) -> None:
        self.polling = polling
        self.known: dict[str, tuple[int, int]] = {}
        self.seen: list[Change] = []
        self._news = asyncio.Condition()

    async def emit(self, change: Change) -> None:
        async with self._news:
            self._remember(change)
            self.seen.append(change)
            self._news.notify_all()

    def _remember(self, change: Change) -> None:
        """What a library would do."""
        match change:
            case FileAppeared(seen) | FileMoved(_, seen):
                self.known[seen.path] = (seen.size, seen.mtime_ns)
            case FilesGone(paths):
                self.known = {path: facts for path, facts in self.known.items() if not path.startswith(paths)}
        if isinstance(change, FileMoved):
            self.known.pop(change.old, None)

    async def wait(self, kind: type[C], fits: Callable[[C], bool] = lambda _: True, count: int = 1) -> list[C]:
        """The changes of a kind, once there are `count`."""

        def found() -> list[C]:
            return [change for change in self.seen if isinstance(change, kind) and fits(change)]

        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(found()) >= count)
        return found()

    async def quiet(self) -> None:
        """Time in which a change too many would show: five times as long as a file has to rest, and as a look takes to come."""
        await asyncio.sleep(0.5)

    @contextlib.asynccontextmanager
    async def watching(self, *folders: Folder, sources: SourceSettings | None = None) -> AsyncIterator[FolderSource]:
        settings = sources or SourceSettings(settle_ms=100, polling=self.polling)
        source = FolderSource(folders, settings, lambda root: sorted(self.known.items()), poll_s=0.1, retry_s=0.1)
        as_port: Source = source
        running = asyncio.create_task(as_port.run(self.emit))
        await asyncio.sleep(0)
        await source.rescan()
        try:
            yield source
        finally:
            running.cancel()
            async with asyncio.timeout(1.5):
                with contextlib.suppress(asyncio.CancelledError):
                    await running


@pytest.fixture
def world(polling: bool) -> Iterator[World]:
    before = set(threading.enumerate())
    yield World(polling)
    left = [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("asyncio")]
    for thread in left:
        thread.join(30)
    assert not any(thread.is_alive() for thread in left)


def photo(path: Path, content: bytes = b"photo", when: int | None = None) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if when is not None:
        os.utime(path, (when, when))
    return str(path)


def move(old: Path | str, new: Path) -> None:
    Path(old).rename(new)


def make(folder: Path) -> None:
    folder.mkdir()


def delete(path: Path | str) -> None:
    Path(path).unlink()


def facts(path: str) -> tuple[int, int]:
    told = Path(path).stat()
    return told.st_size, told.st_mtime_ns


async def test_a_new_photo_appears_once_with_its_facts(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        path = photo(folder / "in" / "a.JPG")
        photo(folder / "in" / "a.txt")
        (appeared,) = await world.wait(FileAppeared)
        assert (appeared.seen.path, appeared.seen.size, appeared.seen.mtime_ns) == (path, *facts(path))
        assert (appeared.seen.folder, appeared.priority) == (str(folder), Priority.NEW)
        await world.quiet()
    assert world.seen == [appeared]


async def test_a_new_clip_appears_as_a_photo_does(world: World, folder: Path) -> None:
    """It is not looked at; but its folder may have a rule by which a covered copy is made."""
    async with world.watching(Folder(path=str(folder))):
        path = photo(folder / "in" / "a.MOV")
        (appeared,) = await world.wait(FileAppeared)
    assert (appeared.seen.path, appeared.seen.folder) == (path, str(folder))


async def test_a_photo_that_is_written_slowly_appears_once_at_its_end(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        with (folder / "a.jpg").open("wb", buffering=0) as file:
            for _ in range(25):
                file.write(b"0123456789")
                await asyncio.sleep(0.04)
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert appeared.seen.size == 250
    assert world.seen == [appeared]


async def test_a_photo_that_is_written_in_two_parts_ends_as_it_is_at_its_end(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        path = photo(folder / "a.jpg", b"begun")
        await world.wait(FileAppeared)
        with (folder / "a.jpg").open("ab") as file:
            file.write(b" and done")
        await world.wait(FileAppeared, lambda appeared: appeared.seen.size == 14)
        await world.quiet()
    assert world.known == {path: facts(path)}


async def test_a_photo_that_is_linked_appears(world: World, folder: Path, tmp_path: Path) -> None:
    elsewhere = photo(tmp_path / "b.jpg", when=LONG_AGO)
    async with world.watching(Folder(path=str(folder))):
        (folder / "a.jpg").hardlink_to(elsewhere)
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert appeared.seen.path == str(folder / "a.jpg")
    assert world.seen == [appeared]


@pytest.mark.skipif(not TELLS_OF_CLOSING, reason="the system does not say when a file was closed")
@pytest.mark.parametrize("way", ["closed", "moved in", "renamed into place"])
async def test_a_photo_that_is_complete_is_not_waited_for(folder: Path, tmp_path: Path, way: str) -> None:
    world = World(polling=False)
    async with world.watching(Folder(path=str(folder)), sources=SourceSettings(settle_ms=60_000)):
        if way == "closed":
            photo(folder / "a.jpg")
        else:
            unfinished = photo((folder if way == "renamed into place" else tmp_path) / "a.jpg.part")
            move(unfinished, folder / "a.jpg")
        (appeared,) = await world.wait(FileAppeared)
    assert appeared.seen.path == str(folder / "a.jpg")


async def test_a_changed_photo_appears_again(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        photo(folder / "a.jpg")
        await world.wait(FileAppeared)
        photo(folder / "a.jpg", b"another photo")
        appeared = await world.wait(FileAppeared, count=2)
    assert [change.seen.size for change in appeared] == [5, 13]


async def test_what_changed_while_nobody_watched_is_found_at_the_start(world: World, folder: Path) -> None:
    same, changed, new = (photo(folder / name, when=LONG_AGO) for name in ("same.jpg", "changed.jpg", "new.jpg"))
    world.known = {same: facts(same), changed: (1, 1), str(folder / "gone.jpg"): (1, 1)}
    async with world.watching(Folder(path=str(folder))):
        await world.wait(FilesGone)
    appeared = {change.seen.path: change.priority for change in world.seen if isinstance(change, FileAppeared)}
    assert appeared == {changed: Priority.BACKLOG, new: Priority.BACKLOG}
    assert FilesGone((str(folder / "gone.jpg"),)) in world.seen
    assert len(world.seen) == 3


async def test_a_rescan_finds_what_was_missed_and_nothing_twice(world: World, folder: Path) -> None:
    path = photo(folder / "a.jpg", when=LONG_AGO)
    async with world.watching(Folder(path=str(folder))) as source:
        await source.rescan()
        await source.rescan()
        assert [change.seen.path for change in await world.wait(FileAppeared)] == [path]
        world.known = {path: facts(path), str(folder / "gone.png"): (1, 1)}
        await source.rescan()
        assert world.seen[1:] == [FilesGone((str(folder / "gone.png"),))]


async def test_a_renamed_photo_moves(world: World, folder: Path) -> None:
    old = photo(folder / "a.jpg", when=LONG_AGO)
    (folder / "in").mkdir()
    world.known = {old: facts(old)}
    async with world.watching(Folder(path=str(folder))):
        new = folder / "in" / "b.jpg"
        move(old, new)
        (moved,) = await world.wait(FileMoved)
        await world.quiet()
    assert (moved.old, moved.new.path, moved.new.size) == (old, str(new), 5)
    assert world.seen == [moved]


async def test_a_renamed_folder_moves_whole(world: World, folder: Path) -> None:
    paths = [photo(folder / "old" / name, when=LONG_AGO) for name in ("a.jpg", "b.jpg", "deep/c.jpg")]
    world.known = {path: facts(path) for path in paths}
    async with world.watching(Folder(path=str(folder))):
        (folder / "old").rename(folder / "new")
        (moved,) = await world.wait(TreeMoved)
        await world.quiet()
    assert moved == TreeMoved(str(folder / "old"), str(folder / "new"))
    assert world.seen == [moved]


async def test_a_folder_that_is_moved_in_is_looked_through(world: World, folder: Path, tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/b.png", "deep/.c.jpg", "deep/d.txt"):
        photo(tmp_path / "outside" / name, when=LONG_AGO)
    async with world.watching(Folder(path=str(folder))):
        (tmp_path / "outside").rename(folder / "in")
        await world.wait(FileAppeared, count=2)
        await world.quiet()
    assert {change.seen.path for change in world.seen if isinstance(change, FileAppeared)} == {
        str(folder / "in" / "a.jpg"),
        str(folder / "in" / "deep" / "b.png"),
    }
    assert len(world.seen) == 2


async def test_deleted_photos_and_folders_are_gone(world: World, folder: Path) -> None:
    paths = [photo(folder / name, when=LONG_AGO) for name in ("a.jpg", "in/b.jpg", "in/deep/c.jpg")]
    world.known = {path: facts(path) for path in paths}
    async with world.watching(Folder(path=str(folder))):
        delete(paths[0])
        shutil.rmtree(folder / "in")
        await world.wait(FilesGone, lambda change: str(folder / "in") in change.paths)
        await world.quiet()
    gone = {path for change in world.seen if isinstance(change, FilesGone) for path in change.paths}
    assert {paths[0], str(folder / "in")} <= gone
    assert all(isinstance(change, FilesGone) for change in world.seen)


async def test_a_photo_that_is_replaced_is_not_gone(world: World, folder: Path) -> None:
    path = Path(photo(folder / "a.jpg", when=LONG_AGO))
    world.known = {str(path): facts(str(path))}
    async with world.watching(Folder(path=str(folder))):
        delete(path)
        photo(path, b"another photo")
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert appeared.seen.size == 13
    assert world.seen == [appeared]


async def test_a_download_appears_under_its_final_name(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        photo(folder / "a.jpg.part")
        await asyncio.sleep(0.3)
        (folder / "a.jpg.part").rename(folder / "a.jpg")
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert world.seen == [appeared]


async def test_patterns_and_depth_are_heeded(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder), recursive=False, include=("IMG*",), exclude=("*-edit.*",))):
        for name in ("other.jpg", "img-edit.jpg", "in/img2.jpg", "img1.jpg"):
            photo(folder / name)
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert world.seen == [appeared]
    assert appeared.seen.path == str(folder / "img1.jpg")


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are POSIX's")
async def test_links_and_pipes_are_passed_over(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        (folder / "loop").symlink_to(folder)
        (folder / "link.jpg").symlink_to(folder / "z.jpg")
        os.mkfifo(folder / "pipe.jpg")
        photo(folder / "z.jpg")
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert world.seen == [appeared]


@pytest.mark.skipif(os.name != "posix", reason="names of any bytes are POSIX's")
async def test_names_that_are_not_unicode_work(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        photo(folder / os.fsdecode(b"caf\xe9.jpg"))
        (appeared,) = await world.wait(FileAppeared)
    assert os.fsencode(appeared.seen.path).endswith(b"/caf\xe9.jpg")


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
async def test_a_watched_folder_may_be_a_link(world: World, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    async with world.watching(Folder(path=str(tmp_path / "link"))):
        photo(folder / "in" / "a.jpg")
        (appeared,) = await world.wait(FileAppeared)
        await world.quiet()
    assert appeared.seen.path == str(tmp_path / "link" / "in" / "a.jpg")
    assert world.seen == [appeared]


async def test_a_folder_that_goes_away_keeps_its_photos_and_is_looked_through_when_it_is_back(
    world: World, folder: Path, tmp_path: Path
) -> None:
    path = photo(folder / "a.jpg", when=LONG_AGO)
    world.known = {path: facts(path)}
    async with world.watching(Folder(path=str(folder))) as source:
        move(folder, tmp_path / "elsewhere")
        await source.rescan()
        (failed,) = await world.wait(SourceFailed)
        assert (failed.folder, failed.error.code) == (str(folder), "source.unreachable")
        await world.quiet()
        new = photo(tmp_path / "elsewhere" / "new.jpg", when=LONG_AGO)
        (tmp_path / "elsewhere").rename(folder)
        await world.wait(SourceRecovered)
        (appeared,) = await world.wait(FileAppeared)
    assert appeared.seen.path == str(folder / Path(new).name)
    assert world.seen == [failed, SourceRecovered(str(folder)), appeared]


async def test_a_folder_that_is_deleted_and_made_again_is_watched_again(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder))):
        shutil.rmtree(folder)
        await world.wait(SourceFailed)
        make(folder)
        await world.wait(SourceRecovered)
        photo(folder / "a.jpg")
        await world.wait(FileAppeared)


async def test_a_folder_that_takes_another_s_place_is_watched(world: World, folder: Path, tmp_path: Path) -> None:
    async with world.watching(Folder(path=str(folder))) as source:
        move(folder, tmp_path / "elsewhere")
        photo(folder / "a.jpg", when=LONG_AGO)
        await source.rescan()
        await world.wait(FileAppeared)
        await source.rescan()
        photo(folder / "b.jpg")
        appeared = await world.wait(FileAppeared, lambda change: change.seen.path == str(folder / "b.jpg"))
        photo(tmp_path / "elsewhere" / "c.jpg")
        await world.quiet()
    assert len(appeared) == 1
    assert not any(isinstance(change, FileAppeared) and change.seen.path.endswith("c.jpg") for change in world.seen)


async def test_a_folder_that_is_not_there_at_the_start_is_waited_for(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder / "later"))):
        await world.wait(SourceFailed)
        path = photo(folder / "later" / "a.jpg", when=LONG_AGO)
        await world.wait(SourceRecovered)
        assert [change.seen.path for change in await world.wait(FileAppeared)] == [path]


async def test_an_empty_mount_point_does_not_empty_the_library(world: World, tmp_path: Path) -> None:
    mount = tmp_path / "disk"
    mount.mkdir()
    world.known = {str(mount / "a.jpg"): (1, 1)}
    async with world.watching(Folder(path=str(mount))):
        (failed,) = await world.wait(SourceFailed)
        await world.quiet()
    assert failed.error.code == "source.unreachable"
    assert not any(isinstance(change, FilesGone) for change in world.seen)


async def test_new_settings_touch_only_the_folders_they_change(world: World, tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        photo(folder / "old.jpg", when=LONG_AGO)
    sources = SourceSettings(settle_ms=100, polling=world.polling)
    async with world.watching(Folder(path=str(one)), Folder(path=str(two)), sources=sources) as source:
        await world.wait(FileAppeared, count=2)
        await source.reconfigure((Folder(path=str(one)), Folder(path=str(three))), sources)
        await world.wait(FileAppeared, count=3)
        photo(two / "new.jpg")
        photo(one / "new.jpg")
        photo(three / "new.jpg")
        await world.wait(FileAppeared, count=5)
        await world.quiet()
    assert sorted(Path(change.seen.path).relative_to(tmp_path).as_posix() for change in world.seen if isinstance(change, FileAppeared)) == [
        "one/new.jpg",
        "one/old.jpg",
        "three/new.jpg",
        "three/old.jpg",
        "two/old.jpg",
    ]
    assert len(world.seen) == 5


async def test_a_folder_inside_another_is_watched_once_by_its_own_rules(world: World, folder: Path) -> None:
    photo(folder / "own" / "old.png", when=LONG_AGO)
    async with world.watching(Folder(path=str(folder)), Folder(path=str(folder / "own"), include=("*.png",))):
        photo(folder / "own" / "a.png")
        photo(folder / "own" / "b.jpg")
        photo(folder / "c.jpg")
        await world.wait(FileAppeared, count=3)
        await world.quiet()
    found = {
        (Path(change.seen.path).name, Path(change.seen.folder or "").name) for change in world.seen if isinstance(change, FileAppeared)
    }
    assert found == {("old.png", "own"), ("a.png", "own"), ("c.jpg", "watched")}
    assert len(world.seen) == 3


async def test_a_sidecar_that_changed_is_told_once_where_names_are_read(world: World, folder: Path) -> None:
    reading, not_reading = folder / "reading", folder / "not"
    make(reading)
    make(not_reading)
    photo(reading / "a.jpg.xmp", when=LONG_AGO)
    folders = [Folder.model_validate({"path": str(reading), "names_in_sidecars": "read"}), Folder(path=str(not_reading))]
    async with world.watching(*folders):
        (reading / "a.jpg.xmp").write_bytes(b"changed")
        photo(reading / "in" / "b.xmp")
        photo(reading / "c.xmp.tmp")
        move(reading / "c.xmp.tmp", reading / "c.xmp")
        photo(not_reading / "a.xmp")
        told = await world.wait(SidecarChanged, count=3)
        await world.quiet()
    assert {change.path for change in told} == {str(reading / name) for name in ("a.jpg.xmp", "in/b.xmp", "c.xmp")}
    assert len(world.seen) == 3


async def test_sidecars_that_may_have_been_missed_are_told_as_their_folder(world: World, folder: Path) -> None:
    reading = Folder.model_validate({"path": str(folder), "names_in_sidecars": "both"})
    async with world.watching(reading, sources=SourceSettings(settle_ms=100, polling=world.polling, queue=100)):
        for number in range(400):
            photo(folder / f"{number}.xmp")
        await world.wait(SidecarChanged, lambda change: change.path == str(folder))


async def test_more_changes_than_may_wait_are_found_by_a_rescan(world: World, folder: Path) -> None:
    async with world.watching(Folder(path=str(folder)), sources=SourceSettings(settle_ms=100, polling=world.polling, queue=100)):
        paths = {photo(folder / f"{number % 7}" / f"{number}.jpg") for number in range(400)}
        await world.wait(FileAppeared, count=400)
    assert {change.seen.path for change in world.seen if isinstance(change, FileAppeared)} == paths
