"""Measures the program's resource use: keeps a short history, and enforces its limits."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from agent.domain.errors import AgentError, EngineMemory, EngineStartFailed
from agent.inference.engine.devices import DeviceNote
from agent.inference.engine.load_limiter import FULL, Pace, Power, decide
from agent.inference.engine.sandbox.report import Sandbox
from agent.infrastructure.core.settings import EngineSettings

log = structlog.get_logger()

MB = 1024 * 1024
TICK_S = 2.0  # while working: memory can grow fast
REST_S = 10.0
SAMPLE = timedelta(seconds=10)
KEPT = 360  # samples: an hour
LOOKED_FOR = timedelta(minutes=2)  # a viewer polls every few seconds
WARN_FOR = timedelta(minutes=10)
LEAST_LIMIT = 400 * MB  # less than the engine needs for the smallest photo
CALM = 0.2  # weight of the newest value: a short burst of another program means little


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """One running engine."""

    pid: int
    memory: int  # resident bytes
    device: str
    precision: str


class EngineControl(Protocol):
    """The monitor's control over the engine. Implementation: the pool of engine processes."""

    @property
    def size(self) -> int:
        """Return the maximum number of processes."""
        ...

    @property
    def restarts(self) -> int:
        """Return how often a process was replaced because it crashed, hung or took too much memory."""
        ...

    @property
    def device_note(self) -> DeviceNote | None:
        """Return a requested device that is not used, and why."""
        ...

    @property
    def gap(self) -> AgentError | None:
        """Return the missing part of the engine's sandbox, if the system could provide it."""
        ...

    def stats(self) -> list[EngineProcess]: ...

    async def try_out(self) -> tuple[str, str]:
        """Start a process if none runs; return its device and precision. Raises EngineError, ModelError."""
        ...

    async def wall(self) -> Sandbox:
        """Return what the sandbox enforces; starts a process like `try_out`."""
        ...

    def govern(self, *, one_core: bool, low_priority: bool) -> None:
        """Limit the load from now on."""
        ...

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None:
        """End a process with too much memory (`limit`: megabytes): after its task, or at once. The next task starts another."""
        ...


@dataclass(frozen=True, slots=True)
class EngineUsage:
    """Current resource use: bytes, and shares (0 to 1) of all cores since the last reading."""

    agent_memory: int = 0
    engine_memory: int = 0
    agent_cpu: float = 0.0
    engine_cpu: float = 0.0
    others_cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One point of the history. `images` were analysed since the previous sample."""

    at: datetime
    usage: EngineUsage
    images: int


class NoEngine:
    """For an analyser without its own processes."""

    size = 0
    restarts = 0
    device_note: DeviceNote | None = None
    gap: AgentError | None = None

    def stats(self) -> list[EngineProcess]:
        return []

    async def try_out(self) -> tuple[str, str]:
        raise EngineStartFailed

    async def wall(self) -> Sandbox:
        raise EngineStartFailed

    def govern(self, *, one_core: bool, low_priority: bool) -> None: ...

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None: ...


def _nothing(_: Sequence[int]) -> EngineUsage:
    return EngineUsage()


@dataclass(frozen=True, slots=True)
class Machine:
    """Functions that measure the computer and the engine; milliseconds each."""

    engine: EngineControl = field(default_factory=NoEngine)
    usage: Callable[[Sequence[int]], EngineUsage] = _nothing  # of the engine's process ids
    power: Callable[[], Power] = Power
    memory: int = 8 * 1024 * MB  # bytes that the computer has


def limit_of(settings: EngineSettings, processes: int, memory: int) -> int:
    """Return the bytes that so many engine processes may take together on a computer with this much memory."""
    if settings.max_memory_mb:
        return max(settings.max_memory_mb * MB, LEAST_LIMIT)
    # Default: a gigabyte each is enough for the largest photo, but never more than half of the computer's memory.
    return max(LEAST_LIMIT, min(memory // 2, max(1, processes) * 1024 * MB))


class ResourceMonitor:
    """Measures every few seconds, and acts: `apply` is called with each new pace and warning."""

    def __init__(
        self,
        machine: Machine,
        settings: Callable[[], EngineSettings],
        *,
        working: Callable[[], bool],
        apply: Callable[[Pace, AgentError | None], None],
        clock: Callable[[], datetime],
        rest: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`rest` is called after each measurement while no work is in progress."""
        self._machine = machine
        self._settings = settings
        self._working = working
        self._apply = apply
        self._clock = clock
        self._rest = rest
        self._wake = asyncio.Event()
        self._looked: datetime | None = None
        self._warned: datetime | None = None
        self._over: dict[int, int] = {}  # process id -> number of readings above the limit
        self._images = 0
        self._others = 0.0
        self._overruled: Pace | None = None
        self.usage = EngineUsage()
        self.power = Power()
        self.pace = FULL
        self.warning: AgentError | None = None
        self.history: deque[Sample] = deque(maxlen=KEPT)

    @property
    def engine(self) -> EngineControl:
        return self._machine.engine

    @property
    def limit(self) -> int:
        """Return the bytes that the engine's processes may take together."""
        return limit_of(self._settings(), self.engine.size, self._machine.memory)

    def looked(self) -> None:
        """Keep a history for a while, because a viewer requests the figures."""
        self._looked = self._clock()

    def analysed(self) -> None:
        """Count an analysed image."""
        self._images += 1

    def overrule(self) -> None:
        """Continue on the user's request: ignore the reason for a pause until conditions change."""
        if self.pace.paused:
            self._overruled = self.pace
            self.check()

    def settings_changed(self) -> None:
        self._overruled = None
        self._wake.set()

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await asyncio.to_thread(self.measure, [process.pid for process in self.engine.stats()])
            self.check()
            if self._rest is not None and not self._working():
                await self._rest()
            try:
                async with asyncio.timeout(TICK_S if self._working() else REST_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    def measure(self, engine: Sequence[int]) -> None:
        """Read the figures, for the process ids of the engine; blocks for milliseconds."""
        self.usage = self._machine.usage(engine)
        self.power = self._machine.power()
        self._others += CALM * (self.usage.others_cpu - self._others)

    def check(self) -> None:
        """Act on the last measurement."""
        self._remember()
        warning = self._keep_limit()
        pace = decide(self.pace if self._overruled is None else self._overruled, self.power, self._others, self._settings().on_battery)
        if self._overruled is not None:
            if pace == self._overruled:
                pace = Pace(one_core=True, low_priority=True, why=pace.why)
            else:
                self._overruled = None
        if (pace, warning) != (self.pace, self.warning):
            if pace != self.pace:
                log.info("pace.changed", why=pace.why.value if pace.why else None, paused=pace.paused)
                self.engine.govern(one_core=pace.one_core, low_priority=pace.low_priority)
            self.pace, self.warning = pace, warning
            self._apply(pace, warning)

    def _remember(self) -> None:
        now = self._clock()
        if self.history and now - self.history[-1].at < SAMPLE:
            return
        if self._working() or self._images or (self._looked is not None and now - self._looked < LOOKED_FOR):
            self.history.append(Sample(now, self.usage, self._images))
            self._images = 0
        while self.history and now - self.history[0].at > KEPT * SAMPLE:
            self.history.popleft()

    def _keep_limit(self) -> AgentError | None:
        """Replace the largest process while all together take too much. Return a warning."""
        processes, now = self.engine.stats(), self._clock()
        taken = sum(process.memory for process in processes)
        if taken <= self.limit or not processes:
            self._over.clear()
            return self.warning if self._warned is not None and now - self._warned < WARN_FOR else None
        largest = max(processes, key=lambda process: process.memory)
        self._over[largest.pid] = self._over.get(largest.pid, 0) + 1
        # After its task, if that ends soon; a task that keeps growing is ended with its process.
        at_once = taken > self.limit * 1.5 or self._over[largest.pid] > 2
        limit = self.limit // MB
        log.warning("engine.over_limit", memory_mb=taken // MB, limit_mb=limit, at_once=at_once)
        self.engine.replace(largest.pid, limit=limit, at_once=at_once)
        if self._warned is None or self.warning is None or now - self._warned > SAMPLE:
            self._warned = now
            return EngineMemory(megabytes=taken // MB, limit=limit)
        return self.warning
