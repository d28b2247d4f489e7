"""Keeps the memory of each kind of process below its threshold: warns, and has a process that is too large replaced or ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import structlog

from agent.domain.errors import AgentError, ProcessMemory
from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.program_settings import MemorySettings

log = structlog.get_logger()

MB: Final = 1024 * 1024
LOOK_S: Final = 10.0
WARN_FOR_S: Final = 600.0  # so that people see why something was restarted
# Faces take this much each in the matcher, besides its threshold: 768 bytes of embedding, its norms, and the clusters.
FACE_BYTES: Final = 4096


class ProcessKind(StrEnum):
    """The processes with a threshold in `memory`. Those of the engine have `engine.max_memory_mb`."""

    AGENT = "agent"
    POPUP = "popup"
    SCREEN = "screen"
    MATCHER = "matcher"
    SERVER = "server"
    WORKER = "worker"


@dataclass(frozen=True, slots=True)
class Guarded:
    """One kind of process that runs now or later.

    `pid` returns None while none runs. `measure` returns the resident bytes of a process; it blocks. `recover` ends or shrinks the process
    between two pieces of work and returns True, or False while neither is possible without losing any. Raises AgentError.
    """

    kind: ProcessKind
    pid: Callable[[], int | None]
    measure: Callable[[int], int]
    recover: Callable[[], Awaitable[bool]]
    besides: Callable[[], int] = lambda: 0  # bytes that it may take besides its threshold


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """Bytes; a `limit` of 0 is none."""

    kind: ProcessKind
    memory: int
    limit: int

    @property
    def is_over(self) -> bool:
        return 0 < self.limit < self.memory


class MemoryGuard:
    """Looks every few seconds. `warning` is the last process that was too large, for ten minutes after it no longer is."""

    def __init__(self, settings: Callable[[], MemorySettings], monotonic: Callable[[], float], guarded: Sequence[Guarded] = ()) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._guarded = list(guarded)
        self._recovered: dict[ProcessKind, float] = {}
        self._over_at = 0.0
        self.readings: tuple[ProcessReading, ...] = ()
        self.recoveries = 0
        self.warning: Observable[ProcessMemory | None] = Observable(None)

    def also(self, guarded: Guarded) -> None:
        """Add a kind of process."""
        self._guarded.append(guarded)

    async def run(self) -> None:
        """Look until cancelled. The process's own start counts as a restart of it."""
        now = self._monotonic()
        self._recovered = {ProcessKind.SERVER: now, ProcessKind.WORKER: now} | self._recovered
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Measure all, and act on those that are too large."""
        running = [(each, pid) for each in self._guarded if (pid := each.pid()) is not None]
        found = await asyncio.to_thread(lambda: [each.measure(pid) for each, pid in running])
        self.readings = tuple(self._reading(each, memory) for (each, _), memory in zip(running, found, strict=True))
        for (each, _), reading in zip(running, self.readings, strict=True):
            if reading.is_over:
                await self._act(each, reading)
        if self.warning.value is not None and self._monotonic() - self._over_at > WARN_FOR_S:
            self.warning.set(None)

    def _reading(self, guarded: Guarded, memory: int) -> ProcessReading:
        limit = int(getattr(self._settings(), f"{guarded.kind}_mb")) * MB
        return ProcessReading(guarded.kind, memory, limit and limit + guarded.besides())

    async def _act(self, guarded: Guarded, reading: ProcessReading) -> None:
        """Warn, and recover unless that was done a short while ago: it wouldn't help more often."""
        kind, now = reading.kind, self._monotonic()
        error = ProcessMemory(**{kind: 1}, kind=kind, megabytes=reading.memory // MB, limit=reading.limit // MB)
        known = self.warning.value is not None and self.warning.value.params["kind"] == kind
        self._over_at = now
        if not known:
            log.warning("memory.over_limit", code=error.code, **{name: error.params[name] for name in ("kind", "megabytes", "limit")})
            self.warning.set(error)
        last = self._recovered.get(kind)
        if last is not None and now - last < self._settings().again_minutes * 60:
            return
        try:
            done = await guarded.recover()
        except AgentError as failure:
            log.warning("memory.not_recovered", kind=kind, code=failure.code)
            return
        if done:
            self._recovered[kind] = now
            self.recoveries += 1
            log.info("memory.recovered", kind=kind)
