"""Runs system tools that must not outlive the need for their results."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from agent.infrastructure.core.abandonable_calls import begin

NO_CONSOLE: Final[int] = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For `creationflags`: on Windows a program without a console would open one for a tool that has one."""


T = TypeVar("T")


class SubprocessStopped(Exception):
    """Its result is not wanted any more."""


class Stop:
    """Stops from any thread the tools of a piece of work, one at a time; no further tool starts with it."""

    def __init__(self, *, grace_s: float = 0.0) -> None:
        """A tool has `grace_s` seconds to end in order before it is killed."""
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._grace_s = grace_s
        self._set = False

    def set(self) -> None:
        """Stop permanently."""
        with self._turn:
            self._set = True
            if self._process is not None:
                _end(self._process, self._grace_s)

    @contextlib.contextmanager
    def started(self, command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Yield the running tool; it is ended with the block. `options` are those of Popen. Raises OSError, ToolStopped after a stop."""
        with self._turn:
            if self._set:
                raise SubprocessStopped
            options = {"stdin": subprocess.DEVNULL, "creationflags": NO_CONSOLE, **options}
            process = self._process = subprocess.Popen(command, **options)
        try:
            yield process
        finally:
            with self._turn:
                self._process = None
                _end(process)
            if self._set:
                raise SubprocessStopped


def run_subprocess(command: Sequence[str], folder: Path, *, limit_s: float, stop: Stop) -> None:
    """Wait until it succeeds. Raises OSError, SubprocessError, ToolStopped; then it has ended too, with its children."""
    with stop.started(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder) as process:
        if code := process.wait(limit_s):
            raise subprocess.CalledProcessError(code, "tool")


_GRACE_S: Final = 3.0  # for a backup to remove its lock
_stop: ContextVar[Stop | None] = ContextVar("stop", default=None)


async def with_tools(work: Callable[[], T]) -> T:
    """Call it in a thread. When this is cancelled, the tool ends that it is running, and no further one starts."""
    stop = Stop(grace_s=_GRACE_S)
    token = _stop.set(stop)
    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        begin(stop.set)
        raise
    finally:
        _stop.reset(token)


def answer_of(command: Sequence[str], *, limit_s: float, **options: Any) -> "subprocess.CompletedProcess[bytes]":
    """Return the tool's result and output. `options` are those of Popen. Raises OSError, TimeoutExpired, ToolStopped."""
    with (_stop.get() or Stop()).started(command, stdout=subprocess.PIPE, **options) as process:
        try:
            out, errors = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            _end(process)
            process.communicate()  # which closes the pipes
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, errors)


def _end(process: "subprocess.Popen[bytes]", grace_s: float = 0.0) -> None:
    if process.poll() is None:
        below: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(process.pid).children(recursive=True)
        if grace_s:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(grace_s)
        process.kill()
        for child in below:
            with contextlib.suppress(psutil.Error):
                child.kill()
        process.wait()


async def run_abandonable(download: Callable[[], object], stop: Callable[[], None]) -> None:
    """Wait for a call in a thread that does not delay the program's end: a slow network must not keep the agent from quitting.

    `stop` ends the processes it started, which would outlive the agent.
    """
    try:
        await asyncio.wrap_future(begin(download))
    except asyncio.CancelledError:
        await asyncio.to_thread(stop)
        raise
