"""Which processes have a threshold for their memory, and what is done beyond it, for a worker with its engine and its matcher, too."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.errors import SettingsError
from agent.inference.engine.matcher import MatcherProcess
from agent.inference.engine.monitor import EngineControl, Machine, ResourceMonitor
from agent.inference.engine.process_meter import total_memory
from agent.inference.engine.screen_engine import ScreenEngine
from agent.inference.engine.worker_slot import FamilyMemory, memory_of
from agent.infrastructure.core.background import run_supervised
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.malloc_tuning import give_back
from agent.infrastructure.core.memory_guard import FACE_BYTES, Guarded, MemoryGuard, ProcessKind
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings


def guarded_matcher(matcher: MatcherProcess) -> Guarded:
    return Guarded(ProcessKind.MATCHER, lambda: matcher.pid, memory_of, matcher.renew, lambda: matcher.faces * FACE_BYTES)


def guarded_screen(engine: ScreenEngine) -> Guarded:
    return Guarded(ProcessKind.SCREEN, lambda: engine.pid, memory_of, engine.renew)


def guarded_popup(desk: UiLauncher) -> Guarded:
    """The popup's process with those of its web view."""
    return Guarded(ProcessKind.POPUP, lambda: desk.popup_pid, FamilyMemory(), desk.renew_popup)


def guarded_agent(trim: Callable[[], Awaitable[None]]) -> Guarded:
    """This process on a desktop. It doesn't end by itself: a review or a dialog may be open."""

    async def recover() -> bool:
        await trim()
        return True

    return Guarded(ProcessKind.AGENT, os.getpid, memory_of, recover)


def guarded_service(kind: ProcessKind, trim: Callable[[], Awaitable[None]], end: Callable[[], None], *, supervised: bool) -> Guarded:
    """This process, a server or worker: `end` makes it drain and end. One that nothing starts again then goes on."""

    async def recover() -> bool:
        if supervised:
            end()
        else:
            await trim()
        return True

    return Guarded(kind, os.getpid, memory_of, recover)


class WorkerMemory:
    """`stop` makes the worker drain. One that is `supervised` is started again."""

    def __init__(self, file: SettingsFile, stop: asyncio.Event, *, supervised: bool) -> None:
        self._file = file
        self._stop = stop
        self._matchers: list[MatcherProcess] = []
        self.starts_again = False  # it ends so that another process is started
        own = guarded_service(ProcessKind.WORKER, lambda: asyncio.to_thread(give_back), self._start_again, supervised=supervised)
        self.guard = MemoryGuard(lambda: file.snapshot.memory, time.monotonic, [own])

    def of(self, matcher: MatcherProcess) -> MatcherProcess:
        """Guard it, too."""
        self.guard.also(guarded_matcher(matcher))
        self._matchers.append(matcher)
        return matcher

    def faces(self) -> int:
        """How many faces its matcher holds, about."""
        return sum(matcher.faces for matcher in self._matchers)

    def works(self, engine: EngineControl) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled. Load and battery don't slow a worker down, so the engine's monitor measures neither."""
        monitor = ResourceMonitor(
            Machine(engine, memory=total_memory()),
            lambda: self._file.snapshot.engine,
            working=lambda: True,
            apply=lambda *_: None,
            clock=utc_now,
        )
        return [
            run_supervised("memory", self.guard.run),
            run_supervised("engine_memory", monitor.run),
            run_supervised("settings", lambda: self._file.watch(_read, _refused)),
        ]

    def _start_again(self) -> None:
        self.starts_again = True
        self._stop.set()


async def _read(_: Settings, __: frozenset[str]) -> None:
    """The limits are read from the file's snapshot."""


async def _refused(_: SettingsError) -> None:
    """The last valid limits stay."""
