"""Photos are opened by the agent and handed to the engine as open files: walled in, the engine can open none by itself."""

import asyncio
import os
import socket
import stat
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path

from agent.domain.errors import EngineTimeout, ImageMissing, ImageUnreadable, ImageUnsupported

_CHANNEL = "AI_POPUP_FILES"
# Network drives that don't answer keep their threads; beyond this many no more are tried.
_MOST_HUNG = 16
_HANDED_OVER_S = 10.0
_NUMBER = struct.Struct("<Q")
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)

_opening = threading.BoundedSemaphore(_MOST_HUNG)


def open_photo(path: str) -> int:
    """A descriptor of a regular file. Blocks. Raises ImageMissing, ImageUnreadable, or ImageUnsupported for what is no file."""
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise ImageUnsupported  # opening a pipe would wait for ever, and opening a device may do something
        descriptor = os.open(path, _FLAGS)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # exchanged in between
            os.close(descriptor)
            raise ImageUnsupported
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ImageMissing from error
    except (OSError, ValueError) as error:
        raise ImageUnreadable from error
    return descriptor


async def opened(path: str, *, limit: float) -> int:
    """`open_photo` in a thread of its own, which is left behind if a drive never answers: then EngineTimeout after `limit` seconds."""
    if not _opening.acquire(blocking=False):
        raise EngineTimeout(seconds=limit)
    answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    threading.Thread(target=_open_for, args=(path, answer), name="open", daemon=True).start()
    try:
        async with asyncio.timeout(limit):
            return await answer
    except TimeoutError:
        raise EngineTimeout(seconds=limit) from None


def _open_for(path: str, answer: "asyncio.Future[int]") -> None:
    descriptor, error = None, None
    try:
        descriptor = open_photo(path)
    except Exception as raised:  # told to whoever waits
        error = raised
    finally:
        _opening.release()
    try:
        answer.get_loop().call_soon_threadsafe(_deliver, answer, descriptor, error)
    except RuntimeError:  # the loop is closed
        if descriptor is not None:
            os.close(descriptor)


def _deliver(answer: "asyncio.Future[int]", descriptor: int | None, error: Exception | None) -> None:
    if descriptor is None:
        if not answer.done() and error is not None:
            answer.set_exception(error)
    elif answer.done():  # nobody waits any more
        os.close(descriptor)
    else:
        answer.set_result(descriptor)


class Giver:
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
        """Descriptors that the process must be started with."""
        return () if self._theirs is None else (self._theirs.fileno(),)

    @property
    def environment(self) -> dict[str, str]:
        """What the process must find in its environment."""
        return {_CHANNEL: str(self._theirs.fileno())} if self._theirs is not None else {}

    def started(self) -> None:
        """The process has its end now."""
        if self._theirs is not None:
            self._theirs.close()

    def give(self, descriptor: int, pid: int) -> int:
        """Hand an open file over to the process `pid`. Returns what the request must say; closes ours."""
        try:
            if sys.platform == "win32":
                return _duplicate(descriptor, pid)
            assert self._ours is not None
            self._given += 1
            # A process that is gone says so when it is asked.
            with suppress(BrokenPipeError, ConnectionResetError):
                socket.send_fds(self._ours, [_NUMBER.pack(self._given)], [descriptor])
            return self._given
        finally:
            os.close(descriptor)

    def close(self) -> None:
        for end in (self._ours, self._theirs):
            if end is not None:
                end.close()


class Taker:
    """The engine's end."""

    def __init__(self) -> None:
        channel = os.environ.pop(_CHANNEL, None)
        self._channel = None if channel is None else socket.socket(fileno=int(channel))
        if self._channel is not None:
            self._channel.settimeout(_HANDED_OVER_S)

    def take(self, ticket: int) -> int:
        """The descriptor that a request speaks of. Raises ImageUnreadable if it does not come."""
        if sys.platform == "win32":
            import msvcrt

            return msvcrt.open_osfhandle(ticket, _FLAGS)
        if self._channel is None:
            raise ImageUnreadable
        while True:
            try:
                number, descriptors, _, _ = socket.recv_fds(self._channel, _NUMBER.size, 1)
            except OSError as error:
                raise ImageUnreadable from error
            if number == _NUMBER.pack(ticket) and descriptors:
                return descriptors[0]
            for descriptor in descriptors:  # of a request that was given up before it took its file
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
        """The value that the same open file has in the process `pid`."""
        process = _winapi.OpenProcess(_DUPLICATE_HANDLE, False, pid)
        try:
            ours = msvcrt.get_osfhandle(descriptor)
            return _winapi.DuplicateHandle(_winapi.GetCurrentProcess(), ours, process, 0, False, _SAME_ACCESS)
        finally:
            _winapi.CloseHandle(process)
