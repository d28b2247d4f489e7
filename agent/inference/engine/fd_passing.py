"""Passes photos to the engine as open files: in the sandbox, the engine can't open any itself."""

import asyncio
import errno
import os
import socket
import stat
import struct
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import TypeAlias

from agent.domain.errors import (
    CopyDiskFull,
    CopyUnwritable,
    EngineBadAnswer,
    EngineTimeout,
    ImageUnreadable,
)
from agent.infrastructure.core.photo_files import READ_FLAGS

_CHANNEL = "AI_POPUP_FILES"
# Unresponsive network drives keep their threads; beyond this many no more are tried.
_MOST_HUNG = 16
_HANDED_OVER_S = 10.0
_NUMBER = struct.Struct("<Q")
_NOTHING = 0  # no file has this handle
_COMMON = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | _COMMON
_AGAIN = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | _COMMON
# Returns a descriptor; may block for as long as a drive takes.
Opener: TypeAlias = Callable[[], int]

_opening = threading.BoundedSemaphore(_MOST_HUNG)


class NewFile:
    """A file for a task to write: created for it, and deleted if it fails. Existing files are never touched."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._made = self._unwanted = False

    def open(self) -> int:
        """Return a descriptor to write to, for its owner only. Blocks. Raises CopyUnwritable, CopyDiskFull."""
        try:
            if self._made:  # by an attempt whose process ended
                Path(self._path).unlink()
            descriptor = os.open(self._path, _NEW, 0o600)
        except (OSError, ValueError) as error:
            raise not_written(error) from error
        self._made = True
        if self._unwanted:  # while a drive took its time; Windows removes no open file
            os.close(descriptor)
            self.remove()
            raise CopyUnwritable
        return descriptor

    def remove(self) -> None:
        self._unwanted = True
        if self._made:
            with suppress(OSError):
                Path(self._path).unlink()

    def settle(self, size: int | None = None) -> None:
        """Flush the written content to the disk, so that the engine need not wait for that. Blocks.

        Raises CopyUnwritable, CopyDiskFull; EngineBadAnswer if it has another length.
        """
        try:
            with os.fdopen(os.open(self._path, _AGAIN), "r+b") as file:  # Windows accepts nothing else
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # exchanged in between
                    raise EngineBadAnswer
                os.fsync(file.fileno())
                written = file.seek(0, os.SEEK_END)
        except OSError as error:
            raise not_written(error) from error
        if size is not None and written != size:
            raise EngineBadAnswer


@asynccontextmanager
async def new_file(path: str) -> AsyncIterator[NewFile]:
    """Yield a new file, which is deleted on any error."""
    made = NewFile(path)
    try:
        yield made
    except BaseException:
        await asyncio.to_thread(made.remove)
        raise


def write_out(file: FileIO, data: bytes) -> None:
    """Write everything; `NewFile.settle` flushes it. Raises CopyUnwritable, CopyDiskFull."""
    try:
        left = memoryview(data)
        while left:
            left = left[file.write(left) :]
    except OSError as error:
        raise not_written(error) from error


def not_written(error: OSError | ValueError) -> CopyUnwritable | CopyDiskFull:
    """Return the error for a copy that can't be written."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return CopyDiskFull() if full else CopyUnwritable()


async def opened(open_file: Opener, *, limit: float) -> int:
    """Open one file as `all_opened` does."""
    [descriptor] = await all_opened([open_file], limit=limit)
    return descriptor


async def all_opened(openers: Sequence[Opener], *, limit: float) -> list[int]:
    """Open files, all or none, in a separate thread, abandoned if a drive never responds: then EngineTimeout after `limit` seconds."""
    if not _opening.acquire(blocking=False):
        raise EngineTimeout(seconds=limit)
    answer: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
    threading.Thread(target=_open_for, args=(openers, answer), name="open", daemon=True).start()
    try:
        async with asyncio.timeout(limit):
            return await answer
    except (TimeoutError, asyncio.CancelledError) as error:
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            _close(answer.result())  # they arrived just when the wait ended
        if isinstance(error, TimeoutError):
            raise EngineTimeout(seconds=limit) from None
        raise


def _open_for(openers: Sequence[Opener], answer: "asyncio.Future[list[int]]") -> None:
    descriptors: list[int] = []
    error = None
    try:
        for open_file in openers:
            descriptors.append(open_file())
    except Exception as raised:  # passed to the waiting caller
        error = raised
        _close(descriptors)
    finally:
        _opening.release()
    try:
        answer.get_loop().call_soon_threadsafe(_deliver, answer, descriptors, error)
    except RuntimeError:  # the loop is closed
        if error is None:
            _close(descriptors)


def _deliver(answer: "asyncio.Future[list[int]]", descriptors: list[int], error: Exception | None) -> None:
    if error is not None:
        if not answer.done():
            answer.set_exception(error)
    elif answer.done():  # no caller waits any more
        _close(descriptors)
    else:
        answer.set_result(descriptors)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class FdSender:
    """The agent's end, one for each engine process."""

    def __init__(self) -> None:
        self._given = 0
        self._ours: socket.socket | None = None
        self._theirs: socket.socket | None = None
        if sys.platform != "win32":
            self._ours, self._theirs = socket.socketpair()
            self._ours.setblocking(False)

    @property
    def inherited(self) -> tuple[int, ...]:
        """Return the descriptors that the process must inherit."""
        return () if self._theirs is None else (self._theirs.fileno(),)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment that the process needs."""
        return {_CHANNEL: str(self._theirs.fileno())} if self._theirs is not None else {}

    def started(self) -> None:
        """Close the process's end after it has started."""
        if self._theirs is not None:
            self._theirs.close()

    def give(self, descriptor: int, pid: int) -> int:
        """Pass an open file to the process `pid`. Return the ticket for the request; close our descriptor."""
        try:
            # A dead process is detected by its request.
            if sys.platform == "win32":
                with suppress(OSError):
                    return _duplicate(descriptor, pid)
                return _NOTHING
            assert self._ours is not None
            self._given += 1
            # One that reads none of its files gets no more when the buffer is full.
            with suppress(BrokenPipeError, ConnectionResetError, BlockingIOError):
                socket.send_fds(self._ours, [_NUMBER.pack(self._given)], [descriptor])
            return self._given
        finally:
            os.close(descriptor)

    def close(self) -> None:
        for end in (self._ours, self._theirs):
            if end is not None:
                end.close()


class FdReceiver:
    """The engine's end."""

    def __init__(self) -> None:
        channel = os.environ.pop(_CHANNEL, None)
        self._channel = None if channel is None else socket.socket(fileno=int(channel))
        if self._channel is not None:
            self._channel.settimeout(_HANDED_OVER_S)

    def take(self, ticket: int) -> int:
        """Return the descriptor of a request. Raises ImageUnreadable if it does not arrive."""
        if sys.platform == "win32":
            import msvcrt

            try:
                return msvcrt.open_osfhandle(ticket, READ_FLAGS)
            except OSError as error:
                raise ImageUnreadable from error
        if self._channel is None:
            raise ImageUnreadable
        while True:
            try:
                number, descriptors, _, _ = socket.recv_fds(self._channel, _NUMBER.size, 1)
            except OSError as error:
                raise ImageUnreadable from error
            if number == _NUMBER.pack(ticket) and descriptors:
                return descriptors[0]
            for descriptor in descriptors:  # of a request that was cancelled before it took its file
                os.close(descriptor)
            if not number:
                raise ImageUnreadable

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()


if sys.platform == "win32":
    import _winapi
    import msvcrt

    _DUPLICATE_HANDLE, _SAME_ACCESS = 0x0040, 2

    def _duplicate(descriptor: int, pid: int) -> int:
        """Return the value of the same open file in the process `pid`."""
        process = _winapi.OpenProcess(_DUPLICATE_HANDLE, False, pid)
        try:
            ours = msvcrt.get_osfhandle(descriptor)
            return _winapi.DuplicateHandle(_winapi.GetCurrentProcess(), ours, process, 0, False, _SAME_ACCESS)
        finally:
            _winapi.CloseHandle(process)
