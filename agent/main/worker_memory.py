"""Keeps the memory of a worker, its engine and its matcher within their limits."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

from agent.core.background import keep_up
from agent.core.config_file import SettingsFile
from agent.core.environment import utc_now
from agent.core.heap import give_back
from agent.core.memory_guard import MemoryGuard, ProcessKind
from agent.core.settings import Settings
from agent.domain.errors import SettingsError
from agent.engine.matcher import MatcherProcess
from agent.engine.monitor import EngineControl, Machine, ResourceMonitor
from agent.engine.processes import total_memory
from agent.main.guarded import guarded_matcher, guarded_service


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
            keep_up("memory", self.guard.run),
            keep_up("engine_memory", monitor.run),
            keep_up("settings", lambda: self._file.watch(_read, _refused)),
        ]

    def _start_again(self) -> None:
        self.starts_again = True
        self._stop.set()


async def _read(_: Settings, __: frozenset[str]) -> None:
    """The limits are read from the file's snapshot."""


async def _refused(_: SettingsError) -> None:
    """The last valid limits stay."""
