"""A child process of this program that answers one JSON line with one JSON line.

The engine and the popup are such children. Pipes and text isolate them from the agent: a child that decodes hostile files can return
only text, which is validated before use (a pickle could run code here); when the agent dies in any way, the
child reads the end of its input and exits too; and a hung or crashed child costs only its current request.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

Message: TypeAlias = dict[str, Any]

# One answer contains a preview or all faces of a crowd: a generous bound.
MAX_LINE = 64 * 1024 * 1024
# Values per line: parsed, each takes up to thirty times its length in memory. A crowd, or a part of a video, has fewer.
MOST_PARTS = 2_000_000
# A process whose output has ended needs a moment to exit.
_EXIT_S = 2.0
_PIPE_BYTES = 1024 * 1024  # the most that Linux lets any user have
# Waits are cut into these intervals: if the computer sleeps during one, only that one counts.
_STEP_S = 1.0
# The environment that every child needs to find its libraries; no more, because the rest may contain tokens.
_BARE = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_MESSAGES",
    "LD_LIBRARY_PATH",
    "PATH",
    "PROCESSOR_ARCHITECTURE",  # where Python finds the kind of Windows computer, which selects the update's file
    "PROCESSOR_ARCHITEW6432",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
    "WINDIR",
    "COVERAGE_PROCESS_START",
    "COVERAGE_PROCESS_CONFIG",
]
# The additional environment of a child with a window, to find its display and its session.
_DESKTOP = [
    "APPDATA",
    "COMSPEC",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GDK_SCALE",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "QTWEBENGINE_CHROMIUM_FLAGS",
    "QT_QPA_PLATFORM",
    "QT_SCALE_FACTOR",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "XDG_CURRENT_DESKTOP",
    "XDG_RUNTIME_DIR",
    "XDG_SESSION_TYPE",
]


class ChildExited(Exception):
    """The child ended before it answered. `exit_code` is negative for a signal (POSIX), None if it never started."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class ChildProtocolError(ChildExited):
    """The child sent a line that is not JSON, or too much data, and was killed for it."""


class ChildTimeout(Exception):
    """The child did not answer in time and was killed."""


def own_command(*words: str) -> list[str]:
    """Return the command line that starts this program again, frozen or not."""
    return [sys.executable, *words] if getattr(sys, "frozen", False) else [sys.executable, "-m", "agent", *words]


def environment(extra: Mapping[str, str] | None = None, *, desktop: bool = True) -> dict[str, str]:
    """Return the part of this process's environment that a child gets; without `desktop` neither display nor session."""
    kept = {name: os.environ[name] for name in (*_BARE, *(_DESKTOP if desktop else ())) if name in os.environ}
    package_root = str(Path(__file__).parents[3])
    return {**kept, "PYTHONPATH": package_root, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1", **(extra or {})}


class Child:
    """One running child. `request` calls are served one after the other; use it from one event loop only."""

    def __init__(self, process: asyncio.subprocess.Process, on_notice: Callable[[Message], None] | None, most_parts: int) -> None:
        self._process = process
        self._most_parts = most_parts
        self._turn = asyncio.Lock()
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue(maxsize=16)
        self._on_notice = on_notice
        self._garbled = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        extra_environment: Mapping[str, str] | None = None,
        desktop: bool = True,
        descriptors: Sequence[int] = (),
        most_parts: int = MOST_PARTS,
        on_notice: Callable[[Message], None] | None = None,
    ) -> "Child":
        """Start it. Lines with a `notice` key (a click, a closed window) go to `on_notice`, all others are answers.

        An answer of more than `most_parts` values ends the child. Without `desktop` it gets neither display nor session.
        It inherits `descriptors` (POSIX) besides its pipes, and nothing else. Raises ChildGone.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL if "AI_POPUP_CHILD_STDERR" not in os.environ else None,
                env=environment(extra_environment, desktop=desktop),
                pass_fds=descriptors,
                limit=MAX_LINE,
            )
        except OSError as error:
            raise ChildExited(None) from error
        _widen(process)
        return cls(process, on_notice, most_parts)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None and not self._reader.done()

    async def request(self, message: Message | bytes, *, timeout: float) -> Message:
        """Send one line, a message or its text, and return its answer.

        Raises ChildGone, or ChildTimeout after `timeout` seconds; the child is dead then.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(timeout):
                    await self._send(message)
                answer = await self._answer(timeout)
            except TimeoutError:
                await self.kill()
                raise ChildTimeout from None
            except asyncio.CancelledError:
                # A late answer would be taken for the next request's: a child with an abandoned request is ended.
                await self.kill()
                raise
            if answer is None:
                self._answers.put_nowait(None)  # for callers waiting for their turn
                raise await self._gone()
            return answer

    async def _answer(self, seconds: float) -> Message | None:
        """Return the next answer. Raises TimeoutError. Time asleep does not count, because the child sleeps too."""
        while True:
            step = min(seconds, _STEP_S)
            try:
                async with asyncio.timeout(step):
                    return await self._answers.get()
            except TimeoutError:
                seconds -= step
                if seconds <= 0:
                    raise

    async def stop(self, *, timeout: float = 3.0) -> None:
        """End it: close its input, wait, then kill."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(timeout):
                await self._process.wait()
        except TimeoutError:
            await self.kill()
        await self._finish_reader()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._finish_reader()

    async def _gone(self) -> ChildExited:
        """Return why there is no answer: normally the process has ended; one that only closed its output is ended now."""
        try:
            async with asyncio.timeout(_EXIT_S):
                exit_code = await self._process.wait()
        except TimeoutError:
            await self.kill()
            return ChildProtocolError(self._process.returncode)
        return ChildProtocolError(exit_code) if self._garbled else ChildExited(exit_code)

    async def _send(self, message: Message | bytes) -> None:
        assert self._process.stdin is not None
        line = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
        try:
            self._process.stdin.write(line + b"\n")
            await self._process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has ended: the reader reports it

    async def _read(self) -> None:
        assert self._process.stdout is not None
        try:
            while line := await self._process.stdout.readline():
                if len(line) > self._most_parts and sum(map(line.count, (b",", b"[", b"{"))) > self._most_parts:
                    raise ValueError
                message = json.loads(line)
                if not isinstance(message, dict):
                    raise ValueError
                if "notice" in message:
                    if self._on_notice is not None:
                        self._on_notice(message)
                else:
                    await self._answers.put(message)
        except (ValueError, RecursionError):
            # Not JSON, or a line beyond the bound: this child can't be trusted any more.
            self._garbled = True
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        finally:
            with contextlib.suppress(asyncio.QueueFull):
                self._answers.put_nowait(None)

    async def _finish_reader(self) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


def _widen(process: asyncio.subprocess.Process) -> None:
    """Let its input hold more than 64 KB, where that can be set: a line of megabytes would wait for forty turns of a busy event loop."""
    if sys.platform == "linux":
        import fcntl

        assert process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # a user’s pipes are limited in all; that of a process that has ended is closed
            fcntl.fcntl(process.stdin.transport.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


# -- the child's side ------------------------------------------------------------------------------------------------------------


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return (requests in, answers out). Standard output becomes standard error, so a printing library can't break the protocol."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return requests, answers


def send(answers: BinaryIO, message: Message) -> None:
    """Write one line."""
    answers.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    answers.flush()
