"""Runs a system tool that must not outlive the need for its result."""

import asyncio
import contextlib
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import psutil

from agent.core.hanging_calls import begin

NO_CONSOLE: Final[int] = getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""For `creationflags`: on Windows a program without a console would open one for a tool that has one."""


class Stop:
    """Stops from any thread the tools of a download; no further tool starts with it."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._set = False

    def set(self) -> None:
        """Stop permanently."""
        with self._turn:
            self._set = True
            if self._process is not None:
                _end(self._process)

    @contextlib.contextmanager
    def started(self, command: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Yield the running tool without output; it is ended with the block. Raises OSError, InterruptedError after a stop."""
        none = subprocess.DEVNULL
        with self._turn:
            if self._set:
                raise InterruptedError
            process = self._process = subprocess.Popen(command, stdin=none, stdout=none, stderr=none, cwd=folder, creationflags=NO_CONSOLE)
        try:
            yield process
        finally:
            with self._turn:
                self._process = None
                _end(process)


def run_tool(command: Sequence[str], folder: Path, *, limit_s: float, stop: Stop) -> None:
    """Wait until it succeeds. Raises OSError, SubprocessError; then it has ended too, with its children."""
    with stop.started(command, folder) as process:
        if code := process.wait(limit_s):
            raise subprocess.CalledProcessError(code, "tool")


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        below: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error):
            below = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for child in below:
            with contextlib.suppress(psutil.Error):
                child.kill()
        process.wait()


async def abandon_at_quit(download: Callable[[], object], stop: Callable[[], None]) -> None:
    """Wait for a call in a thread that does not delay the program's end: a slow network must not keep the agent from quitting.

    `stop` ends the processes it started, which would outlive the agent.
    """
    try:
        await asyncio.wrap_future(begin(download))
    except asyncio.CancelledError:
        await asyncio.to_thread(stop)
        raise
