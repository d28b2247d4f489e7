"""Files are opened by the agent and arrive in the engine; what can't be opened is told apart, and nothing stays open."""

import asyncio
import errno
import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import (
    AgentError,
    CopyDiskFull,
    CopyUnwritable,
    EngineBadAnswer,
    EngineTimeout,
    ImageMissing,
    ImageUnreadable,
    ImageUnsupported,
)
from agent.inference.engine import fd_passing, rpc
from agent.inference.engine.fd_passing import FdReceiver, FdSender, NewFile, all_opened, opened, write_out
from agent.inference.engine.rpc import NOTHING, Call, Codec
from agent.inference.engine.rpc_worker import RpcWorker
from agent.inference.engine.sandbox.report import Sandbox
from agent.infrastructure.core import photo_files
from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.infrastructure.core.photo_files import open_photo

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer

posix = pytest.mark.skipif(sys.platform == "win32", reason="handles are handed over there, not descriptors")


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def test_files_that_can_not_be_opened_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImageMissing):
        open_photo(str(tmp_path / "none"))
    with pytest.raises(ImageMissing):
        open_photo(str(tmp_path / "file" / "inside"))
    with pytest.raises(ImageUnsupported):
        open_photo(str(tmp_path))
    with pytest.raises(ImageUnreadable):
        open_photo("a\0b")


def test_a_file_that_another_program_keeps_to_itself_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        error = PermissionError(errno.EACCES, "The process cannot access the file")
        error.winerror = 32  # type: ignore[attr-defined,unused-ignore]  # Windows only
        raise error

    (tmp_path / "file").touch()
    monkeypatch.setattr(photo_files, "open_shared", refuse)
    with pytest.raises(ImageUnreadable) as refused:
        open_photo(str(tmp_path / "file"))
    assert "held" in refused.value.params
    for language in LANGUAGES:
        assert Texts(language).cause(refused.value) != Texts(language).cause(ImageUnreadable())


def test_a_file_for_a_process_that_has_ended_is_closed_and_its_request_tells_of_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    giver, descriptor = FdSender(), open_photo(str(tmp_path / "file"))
    with subprocess.Popen([sys.executable, "-S", "-c", ""]) as ended:
        ended.wait()
        giver.give(descriptor, ended.pid)
    giver.close()
    assert not is_open(descriptor)


@posix
def test_a_pipe_or_a_device_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageUnsupported):
        open_photo(str(tmp_path / "pipe"))
    with pytest.raises(ImageUnsupported):
        open_photo("/dev/zero")


@posix
def test_a_file_that_became_a_pipe_in_the_moment_of_opening_is_no_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, pipe = tmp_path / "a", tmp_path / "pipe"
    path.touch()
    os.mkfifo(pipe)
    taken: list[int] = []
    plain_open = os.open

    def exchange(name: str, flags: int) -> int:
        assert name == str(path)
        taken.append(plain_open(pipe, flags))
        return taken[0]

    monkeypatch.setattr("os.open", exchange)
    with pytest.raises(ImageUnsupported):
        open_photo(str(path))
    assert not is_open(taken[0])


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A drive that answers when the event is set."""
    answers = threading.Event()

    def open_late(path: str) -> int:
        answers.wait(30)
        return open_photo(path)

    monkeypatch.setattr(photo_files, "open_photo", open_late)
    yield answers
    answers.set()


async def test_a_drive_that_does_not_answer_is_given_up_and_what_it_opens_later_is_closed(
    hanging: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"late")
    closed = asyncio.Event()
    plain_close = os.close

    def close(descriptor: int) -> None:
        plain_close(descriptor)
        closed.set()

    monkeypatch.setattr("agent.inference.engine.fd_passing.os.close", close)
    with pytest.raises(EngineTimeout):
        await opened(partial(photo_files.open_photo, str(tmp_path / "a")), limit=0.01)
    hanging.set()
    await closed.wait()


@posix
async def test_a_file_that_comes_in_the_moment_it_is_given_up_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = os.open(os.devnull, os.O_RDONLY)
    deliver = fd_passing._deliver

    def and_give_up(answer: "asyncio.Future[list[int]]", descriptors: list[int], error: Exception | None) -> None:
        deliver(answer, descriptors, error)
        opening.cancel()

    monkeypatch.setattr(fd_passing, "_deliver", and_give_up)
    opening = asyncio.create_task(opened(lambda: mine, limit=20))
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not is_open(mine)


async def test_of_several_files_all_are_opened_or_none(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    first: list[int] = []

    def open_first() -> int:
        first.append(open_photo(str(tmp_path / "a")))
        return first[-1]

    assert await all_opened([open_first, open_first], limit=20) == first
    for each in first:
        os.close(each)
    with pytest.raises(ImageMissing):
        await all_opened([open_first, partial(open_photo, str(tmp_path / "none"))], limit=20)
    assert not is_open(first[-1])


async def test_hanging_drives_keep_only_so_many_threads(hanging: threading.Event, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fd_passing, "_opening", threading.BoundedSemaphore(2))
    waiting = [asyncio.create_task(opened(partial(photo_files.open_photo, str(tmp_path)), limit=20)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(EngineTimeout):
        await opened(partial(photo_files.open_photo, str(tmp_path)), limit=20)
    hanging.set()
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in ended] == [ImageUnsupported] * 2


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[FdSender, FdReceiver]]:
    """Both ends, as if there were a process between them."""
    giver = FdSender()
    inherited = [os.dup(descriptor) for descriptor in giver.inherited]
    (name,) = giver.environment
    monkeypatch.setenv(name, str(inherited[0]))
    giver.started()
    taker = FdReceiver()
    yield giver, taker
    giver.close()
    taker.close()


@posix
async def test_a_file_arrives_open_and_is_not_kept(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    (tmp_path / "a").write_bytes(b"12345")
    ours = await opened(partial(open_photo, str(tmp_path / "a")), limit=10)
    ticket = giver.give(ours, os.getpid())
    theirs = taker.take(ticket)
    with os.fdopen(theirs, "rb") as file:
        assert file.read() == b"12345"


@posix
def test_a_file_nobody_took_does_not_come_for_the_next(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    for name in ("first", "second"):
        (tmp_path / name).write_text(name)
    tickets = [giver.give(open_photo(str(tmp_path / name)), os.getpid()) for name in ("first", "second")]
    with os.fdopen(taker.take(tickets[1]), "rb") as file:
        assert file.read() == b"second"


@posix
def test_a_file_for_a_process_that_is_gone_is_closed(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    taker.close()
    (tmp_path / "a").touch()
    ours = open_photo(str(tmp_path / "a"))
    giver.give(ours, os.getpid())
    assert not is_open(ours)


@posix
def test_files_that_a_process_does_not_take_are_closed_however_many_they_are(ends: tuple[FdSender, FdReceiver]) -> None:
    giver, _ = ends
    for _ in range(2_000):  # more than there is room for on the way
        ours = os.open(os.devnull, os.O_RDONLY)
        giver.give(ours, os.getpid())
        assert not is_open(ours)


@posix
def test_a_file_that_never_comes_is_unreadable(ends: tuple[FdSender, FdReceiver]) -> None:
    giver, taker = ends
    giver.close()
    with pytest.raises(ImageUnreadable):
        taker.take(1)


@posix
def test_files_of_a_request_reach_its_handler_in_their_order_or_are_closed(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    handed: list[int] = []

    def read(_: None, files: Sequence[int]) -> str:
        handed.extend(files)
        return "read"

    worker = RpcWorker()
    worker._taker, worker.wall, worker.greeted = taker, Sandbox(), True
    worker.on_files(Call("read", NOTHING, Codec(str), files=3), read)
    worker.on(Call("name", Codec(str), Codec(str)), str.upper)
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text(name)
    tickets = [giver.give(open_photo(str(tmp_path / name)), os.getpid()) for name in ("a", "b", "c")]
    assert worker.serve(rpc.request(1, "read", None, tickets)) == {"id": 1, "body": "read"}
    assert [os.read(each, 1) for each in handed] == [b"a", b"b", b"c"]
    for each in handed:
        os.close(each)
    handed.clear()
    for operation, code in (("read", "image.unreadable"), ("name", "image.unreadable"), ("other", "agent.unexpected")):
        read_end, write_end = os.pipe()
        assert worker.serve(rpc.request(2, operation, None, [giver.give(write_end, os.getpid())]))["error"]["code"] == code
        assert os.read(read_end, 1) == b"", "nothing can write to it any more"
        os.close(read_end)
    assert worker.serve(rpc.request(3, "read", None))["error"]["code"] == "image.unreadable"
    assert not handed


@posix
def test_a_request_may_say_how_many_files_come_with_it(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    worker = RpcWorker()
    worker._taker, worker.wall, worker.greeted = taker, Sandbox(), True

    def count(_: int, files: Sequence[int]) -> int:
        for each in files:
            os.close(each)
        return len(files)

    worker.on_files(Call("count", Codec(int), Codec(int), files=lambda asked: asked), count)
    for name in "ab":
        (tmp_path / name).touch()
    for asked, answer in ((2, {"body": 2}), (3, {"error": {"code": "image.unreadable", "params": {}}})):
        tickets = [giver.give(open_photo(str(tmp_path / name)), os.getpid()) for name in "ab"]
        assert worker.serve(rpc.request(1, "count", asked, tickets)) == {"id": 1, **answer}


# -- what a task writes -----------------------------------------------------------------------------------------------------------------
class Full(io.FileIO):
    """A disk with room for four bytes more, and that in two goes."""

    left = 4

    def write(self, data: "Buffer", /) -> int:
        if not self.left:
            raise OSError(self.error, "")
        taken = super().write(memoryview(data)[:2])
        self.left -= taken
        return taken

    error = errno.ENOSPC


def test_all_is_written_also_in_several_goes(tmp_path: Path) -> None:
    with Full(tmp_path / "a", "w") as file:
        write_out(file, b"1234")
    assert (tmp_path / "a").read_bytes() == b"1234"


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, CopyDiskFull), (errno.EDQUOT, CopyDiskFull), (errno.EIO, CopyUnwritable)])
def test_a_disk_that_takes_no_more_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[AgentError]) -> None:
    monkeypatch.setattr(Full, "error", number)
    with Full(tmp_path / "a", "w") as file, pytest.raises(error):
        write_out(file, b"123456")


def test_a_file_that_a_drive_made_too_late_is_removed(tmp_path: Path) -> None:
    made = NewFile(str(tmp_path / "late"))
    made.remove()
    with pytest.raises(CopyUnwritable):
        made.open()
    assert not (tmp_path / "late").exists()


def test_a_copy_of_another_length_than_was_told_is_not_believed(tmp_path: Path) -> None:
    made = NewFile(str(tmp_path / "a"))
    os.close(made.open())
    made.settle(0)
    with pytest.raises(EngineBadAnswer):
        made.settle(1)
    made.remove()
    with pytest.raises(CopyUnwritable):
        made.settle(0)


@posix
def test_several_files_of_one_request_arrive_in_their_order(ends: tuple[FdSender, FdReceiver], tmp_path: Path) -> None:
    giver, taker = ends
    (tmp_path / "in").write_bytes(b"read")
    tickets = [
        giver.give(descriptor, os.getpid()) for descriptor in (open_photo(str(tmp_path / "in")), NewFile(str(tmp_path / "out")).open())
    ]
    source, target = (taker.take(ticket) for ticket in tickets)
    with os.fdopen(source, "rb") as file, os.fdopen(target, "wb") as out:
        out.write(file.read())
    assert (tmp_path / "out").read_bytes() == b"read"
