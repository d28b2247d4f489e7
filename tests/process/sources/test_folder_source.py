"""Watched folders when things go wrong: lost events, limits, hung drives, a consumer that fails."""

import asyncio
import contextlib
import ctypes
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import NoReturn

import pytest
from watchdog.events import FileCreatedEvent, FileDeletedEvent, FileSystemEventHandler

from agent.domain.errors import SourceError, SourceNoAccess, SourceUnreachable, StoreBusy
from agent.infrastructure.core import user_paths
from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.infrastructure.core.settings import Folder, SourceSettings
from agent.infrastructure.sources.folder import folder_session
from agent.infrastructure.sources.folder.folder_observer import Observation, asking_observer
from agent.infrastructure.sources.folder.folder_rules import Matcher
from agent.infrastructure.sources.folder.folder_scan import Entry, Facts
from agent.infrastructure.sources.folder.folder_session import FolderScope, FolderSession, Known
from agent.infrastructure.sources.folder.folder_source import FolderSource
from agent.infrastructure.sources.folder.folder_thread import FolderThread, WatchedFolderState
from agent.infrastructure.sources.source import Change, FileAppeared, FileMoved, FilesGone, SourceFailed, SourceRecovered

linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
SOURCES = SourceSettings(settle_ms=100)
LONG_AGO = 1_000_000_000


def photo(path: Path, content: bytes = b"photo") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (LONG_AGO, LONG_AGO))
    return path


def nothing(_: str) -> list[Entry]:
    return []


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for is not an event
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def watching(
    folders: Sequence[Folder],
    emit: Callable[[Change], None],
    sources: SourceSettings = SOURCES,
    known: Known = nothing,
    remote: Callable[[str], bool] = lambda _: False,
) -> AsyncIterator[FolderSource]:
    async def take(change: Change) -> None:
        emit(change)

    source = FolderSource(folders, sources, known, poll_s=0.1, retry_s=0.1, remote=remote)
    running = asyncio.create_task(source.run(take))
    await asyncio.sleep(0)
    await source.rescan()
    try:
        yield source
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_folder_on_a_network_drive_is_asked_without_a_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []
    start = Observation.start

    def noting(self: Observation, folder: str, *, recursive: bool, poll_s: float | None) -> None:
        asked.append(poll_s)
        start(self, folder, recursive=recursive, poll_s=poll_s)

    monkeypatch.setattr(Observation, "start", noting)
    (tmp_path / "nas").mkdir()
    seen: list[Change] = []
    folders = [Folder(path=str(tmp_path / "nas")), Folder(path=str(tmp_path))]
    async with watching(folders, seen.append, remote=lambda folder: folder.endswith("nas")):
        photo(tmp_path / "nas" / "a.jpg")
        await until(lambda: any(isinstance(change, FileAppeared) for change in seen))
    assert sorted(asked, key=str) == [0.1, None]


def test_a_slow_drive_is_left_in_peace_ten_times_as_long_as_a_look_takes(tmp_path: Path) -> None:
    now = 0.0

    def clock() -> float:
        return now

    observer = asking_observer(5.0, clock)
    observer.schedule(FileSystemEventHandler(), str(tmp_path))
    (emitter,) = observer.emitters
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        nonlocal now
        waits.append(seconds)
        now += seconds + 2.0  # the look that follows takes two seconds
        return True

    emitter.stopped_event.wait = wait  # type: ignore[method-assign, assignment]
    for _ in range(3):
        emitter.queue_events(emitter.timeout)
    assert waits == [5.0, 20.0, 20.0]


async def test_a_network_drive_that_is_unmounted_takes_no_photo_out_of_the_library(tmp_path: Path) -> None:
    """What is left is the empty folder on which it was mounted, and each photo in it is told as deleted."""
    root, away = tmp_path / "nas", tmp_path / "away"
    known = {str(path): (path.stat().st_size, LONG_AGO * 10**9) for path in (photo(root / "a.jpg"), photo(root / "in" / "b.jpg"))}
    seen: list[Change] = []
    async with watching([Folder(path=str(root))], seen.append, known=lambda _: sorted(known.items()), remote=lambda _: True):
        assert seen == []
        root.rename(away)
        root.mkdir()
        await until(lambda: seen)
        root.rmdir()
        away.rename(root)
        await until(lambda: isinstance(seen[-1], SourceRecovered))
    assert [type(change) for change in seen] == [SourceFailed, SourceRecovered]


async def test_a_network_drive_from_which_all_is_deleted_is_no_drive_that_is_unmounted(tmp_path: Path) -> None:
    gone = photo(tmp_path / "a.jpg")
    known = [(str(gone), (5, LONG_AGO * 10**9))]
    seen: list[Change] = []
    async with watching([Folder(path=str(tmp_path))], seen.append, known=lambda _: known, remote=lambda _: True):
        gone.unlink()
        await until(lambda: seen)
    assert seen == [FilesGone((str(gone),))]


# A process of its own, so that it can be stopped while its kernel queue runs over.
CHILD = """
import asyncio, sys
from agent.infrastructure.sources.folder import folder_session, folder_source
from agent.infrastructure.sources.source import FileAppeared
from agent.infrastructure.core.settings import Folder, SourceSettings

overflowed = folder_session.FolderSession.overflowed
def heard(session):
    print("overflow", flush=True)
    overflowed(session)
folder_session.FolderSession.overflowed = heard

async def main(folder, count):
    seen = set()
    async def emit(change):
        if isinstance(change, FileAppeared):
            seen.add(change.seen.path)
    source = folder_source.FolderSource((Folder(path=folder),), SourceSettings(settle_ms=100), lambda _: ())
    running = asyncio.create_task(source.run(emit))
    await asyncio.sleep(0)
    await source.rescan()
    print("ready", flush=True)
    while len(seen) < count:
        await asyncio.sleep(0.05)
    print("all", flush=True)
    running.cancel()

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@linux
def test_photos_whose_events_the_kernel_dropped_are_found(tmp_path: Path) -> None:
    room = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    count = room // 2 + 500  # each is created and closed
    (tmp_path / "in").mkdir()
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path), str(count)], stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            os.kill(child.pid, signal.SIGSTOP)
            for number in range(count):
                (tmp_path / "in" / f"{number}.jpg").touch()
            os.kill(child.pid, signal.SIGCONT)
            told = {line.strip() for line in child.stdout}
            assert told == {"overflow", "all"}
        finally:
            child.kill()


@linux
@pytest.mark.parametrize("refused", ["instance", "top", "inside"])
async def test_where_no_more_folders_can_be_watched_the_folder_is_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    from watchdog.observers import inotify_c
    from watchdog.observers.inotify_c import InotifyFD

    photo(tmp_path / "inside" / "a.jpg")
    add_callback = InotifyFD.add_callback

    def limited(self: InotifyFD, path: bytes, *rest: object) -> object:
        if refused == "top" or path.endswith(b"inside"):
            raise OSError(errno.ENOSPC, "inotify watch limit reached")
        return add_callback(self, path, *rest)  # type: ignore[arg-type]

    def none_left() -> int:
        ctypes.set_errno(errno.EMFILE)
        return -1

    monkeypatch.setattr(InotifyFD, "add_callback", limited)
    if refused == "instance":  # a user may have few of them, and watch few folders with each
        monkeypatch.setattr(inotify_c, "inotify_init", none_left)
    seen: list[Change] = []
    async with watching([Folder(path=str(tmp_path))], seen.append) as source:
        assert isinstance(seen[0], SourceFailed)
        assert seen[0].error.code == "source.limit"
        remedies = [Texts(language).remedy(seen[0].error) for language in LANGUAGES]
        assert all("max_user_watches" in remedy and "max_user_instances" in remedy for remedy in remedies)
        photo(tmp_path / "inside" / "b.jpg")
        await source.rescan()
    assert [Path(change.seen.path).name for change in seen if isinstance(change, FileAppeared)] == ["a.jpg", "b.jpg"]


async def test_a_consumer_that_fails_loses_nothing(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg")
    seen: list[Change] = []
    failures = 2

    def emit(change: Change) -> None:
        nonlocal failures
        if isinstance(change, FileAppeared) and failures:
            failures -= 1
            raise StoreBusy
        seen.append(change)

    async with watching([Folder(path=str(tmp_path))], emit):
        await until(lambda: any(isinstance(change, FileAppeared) for change in seen))
    assert [type(change) for change in seen] == [SourceFailed, SourceRecovered] * 2 + [FileAppeared]
    assert isinstance(seen[0], SourceFailed)
    assert seen[0].error.code == "store.busy"


async def test_a_folder_that_is_no_longer_watched_is_no_trouble_any_more(tmp_path: Path) -> None:
    seen: list[Change] = []
    async with watching([Folder(path=str(tmp_path / "none"))], seen.append) as source:
        await source.reconfigure((), SOURCES)
        assert [type(change) for change in seen] == [SourceFailed, SourceRecovered]


async def test_one_folder_s_trouble_does_not_touch_another(tmp_path: Path) -> None:
    seen: list[Change] = []
    (tmp_path / "good").mkdir()
    async with watching([Folder(path=str(tmp_path / "none")), Folder(path=str(tmp_path / "good"))], seen.append):
        photo(tmp_path / "good" / "a.jpg")
        await until(lambda: any(isinstance(change, FileAppeared) for change in seen))


async def test_a_drive_that_does_not_answer_is_given_up() -> None:
    thread = FolderThread()
    with pytest.raises(SourceUnreachable):
        await thread.ask(lambda: time.sleep(0.5), limit_s=0.05)
    thread.close()


@pytest.mark.parametrize(
    ("number", "windows", "told"),
    [
        (errno.EIO, None, SourceUnreachable),
        (errno.EACCES, None, SourceNoAccess),  # POSIX
        (errno.EACCES, 5, SourceNoAccess),
        (errno.EACCES, 21, SourceUnreachable),  # no card in its reader: for Python that is the same
    ],
)
async def test_a_drive_that_refuses_is_unreachable_unless_rights_are_missing(
    number: int, windows: int | None, told: type[SourceError]
) -> None:
    thread = FolderThread()

    def refuse() -> NoReturn:
        error = OSError(number, "refused")
        error.winerror = windows  # type: ignore[attr-defined,unused-ignore]  # Windows only
        raise error

    with pytest.raises(told):
        await thread.ask(refuse)
    thread.close()


@pytest.mark.parametrize("system", ["darwin", "linux"])
async def test_events_of_a_mac_have_the_names_on_the_disk(tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "\u00c9t\u00e9").mkdir()
    monkeypatch.setattr(user_paths, "IGNORES_CASE", system == "darwin")
    # As such a disk would find it.
    monkeypatch.setattr(os.path, "realpath", lambda path, **_: str(tmp_path / "e\u0301te\u0301"))
    monkeypatch.setattr(os, "stat", lambda _: os.lstat(tmp_path))
    thread = FolderThread()
    found = await thread.find(str(tmp_path))
    assert found.real == str(tmp_path / ("\u00c9t\u00e9" if system == "darwin" else "e\u0301te\u0301"))
    thread.close()


class Session:
    """A session that is fed events by hand, as another system would tell them."""

    def __init__(self, root: Path, known: dict[str, Facts]) -> None:
        self.seen: list[Change] = []
        self.thread = FolderThread()
        matcher = Matcher(str(root), Folder(path=str(root)))
        self.session = FolderSession(
            FolderScope(str(root), WatchedFolderState(os.path.realpath(root), root.stat().st_dev, root.stat().st_ino), matcher),
            SOURCES,
            lambda _: sorted(known.items()),
            self.emit,
            self.thread,
            time.monotonic,
        )

    async def emit(self, change: Change) -> None:
        self.seen.append(change)

    @contextlib.asynccontextmanager
    async def ticking(self) -> AsyncIterator["Session"]:
        task = asyncio.create_task(self.session.tick())
        try:
            yield self
        finally:
            task.cancel()
            self.thread.close()


async def test_a_move_that_is_told_as_deletion_and_creation_is_a_move(tmp_path: Path) -> None:
    new = photo(tmp_path / "b" / "x.jpg")
    told = new.stat()
    old = tmp_path / "a" / "x.jpg"
    async with Session(tmp_path, {str(old): (told.st_size, told.st_mtime_ns)}).ticking() as session:
        session.session.heard(FileDeletedEvent(str(old)))
        session.session.heard(FileCreatedEvent(str(new)))
        await until(lambda: session.seen)
        (moved,) = session.seen
        assert isinstance(moved, FileMoved)
        assert (moved.old, moved.new.path) == (str(old), str(new))


async def test_another_file_of_the_same_name_is_no_move(tmp_path: Path) -> None:
    new = photo(tmp_path / "b" / "x.jpg")
    old = tmp_path / "a" / "x.jpg"
    async with Session(tmp_path, {str(old): (99, 99)}).ticking() as session:
        session.session.heard(FileDeletedEvent(str(old)))
        session.session.heard(FileCreatedEvent(str(new)))
        await until(lambda: len(session.seen) == 2)
        assert {type(change) for change in session.seen} == {FileAppeared, FilesGone}


async def test_deletions_while_the_folder_goes_away_are_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "disk"
    root.mkdir()
    monkeypatch.setattr(folder_session, "_CHECK_S", 3600)
    session = Session(root, {})
    session.session.heard(FileDeletedEvent(str(root / "a.jpg")))
    task = asyncio.create_task(session.session.tick())
    await asyncio.sleep(0.1)
    root.rmdir()
    with pytest.raises(SourceUnreachable):
        await asyncio.wait_for(task, 10)
    assert session.seen == []
    session.thread.close()
