"""The agent's state as a snapshot, published on every change, at a rate that a person can follow."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

import structlog

from agent.domain.errors import AgentError, ModelMissing, StoreDamaged, StoreError
from agent.domain.jobs import JobState
from agent.domain.screen import WatchShown, WatchState
from agent.features.library.do_not_disturb import DoNotDisturb
from agent.features.library.indexer import Indexer
from agent.features.library.ingest import Ingest
from agent.features.library.library_counts import LibraryCounts
from agent.features.library.progress import BurstProgress, BurstSummary
from agent.features.library.records import Counts
from agent.inference.engine.devices import DeviceNote
from agent.inference.engine.load_limiter import Throttle
from agent.inference.engine.monitor import ResourceMonitor
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.observable import Observable, wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings

log = structlog.get_logger()

LEAST_INTERVAL_S = 0.25
QUIET_TICK_S = 30.0  # while quiet times begin and end by the clock
MOST_SHARE = 20  # it pauses this many times as long as counting kept a processor busy
MOST_PAUSE_S = 5.0  # on a server, where the clock tells how long: the machine may only be busy with other things
TICK_S = 1.0  # while working, so that rate and time left stay current


class AgentState(StrEnum):
    IDLE = "idle"
    WORKING = "working"
    PAUSED = "paused"
    ATTENTION = "attention"


@dataclass(frozen=True, slots=True)
class AgentStatus:
    state: AgentState
    queued: int  # waiting or running
    failed: int  # failed or quarantined
    images: int
    faces: int
    people: int
    burst: BurstProgress | None
    folder_problems: tuple[tuple[str, AgentError], ...]
    problem: AgentError | None
    settings: Settings  # the effective ones: a change of language or theme is also published
    online_only: int = 0  # online-only files that were not scanned
    quiet_until: datetime | None = None  # no popup until then
    throttled: Throttle | None = None  # why the engine is slowed down, while there is work
    warning: AgentError | None = None  # the work continues, but the user should know
    device_note: DeviceNote | None = None  # a requested device that is not used
    finished: BurstSummary | None = None  # the last burst, until the next photo arrives
    captures: int = 0  # screen captures under review
    captures_changed: int = 0  # how often a capture was added, changed or removed since the start
    watch: WatchState = WatchState.OFF  # whether the screen is watched
    watch_until: datetime | None = None  # it is snoozed until then
    watch_said: int = 0  # number of alerts since the start
    watch_problem: AgentError | None = None  # why watching is not possible although it is on
    update: str | None = None  # a newer version that waits to be installed
    taken_back: AgentError | None = None  # why the last one was rolled back
    doubts: int = 0  # faces that are probably a known person, for the user to confirm
    people_changed: int = 0  # how often clusters or identities were computed since the start, which no event reports


@dataclass(frozen=True, slots=True)
class ModelsShown:
    """The state of the required models."""

    fetching: bool = False  # missing ones are being downloaded
    problem: AgentError | None = None  # why they are missing


@dataclass(frozen=True, slots=True)
class CapturesShown:
    """The state of screen captures."""

    open: int = 0  # under review
    changes: int = 0  # how often one was added, changed or removed since the start


@dataclass(frozen=True, slots=True)
class UpdateShown:
    ready: str | None = None  # a newer version that waits to be installed
    taken_back: AgentError | None = None  # why the last one was rolled back


Listener: TypeAlias = Callable[[AgentStatus], None]


class StatusFeed:
    """Computes the status and publishes it to listeners (tray, event streams)."""

    def __init__(
        self,
        counting: LibraryCounts,
        indexer: Indexer,
        ingest: Ingest,
        quiet: DoNotDisturb,
        monitor: ResourceMonitor,
        environment: Environment,
    ) -> None:
        self._counting = counting
        self._indexer = indexer
        self._ingest = ingest
        self._progress = indexer.progress
        self._quiet = quiet
        self._monitor = monitor
        self._settings = environment.settings
        self._stale = asyncio.Event()
        self._last: AgentStatus | None = None
        self._counts = Counts(images=0, faces=0, people=0, jobs={}, doubts=0)
        self._pause_s = LEAST_INTERVAL_S
        self._listeners: list[Listener] = []
        self.settings_problem: AgentError | None = None
        self.warning: AgentError | None = None
        self.throttled: Throttle | None = None
        # The state of other services, set by the root.
        self.models = Observable(ModelsShown())
        self.captures = Observable(CapturesShown())
        self.people_changed = Observable(0)
        self.watching = Observable(WatchShown())
        self.update = Observable(UpdateShown())
        self.damage = Observable[AgentError | None](None)  # of the library
        self.memory = Observable[AgentError | None](None)  # a process that took too much
        self.backups = Observable[AgentError | None](None)  # a second place that gets none
        for shown in (
            self.models, self.captures, self.people_changed, self.watching, self.update, self.damage, self.memory, self.backups
        ):  # fmt: skip
            shown.subscribe(self.changed)

    def changed(self, _: object = None) -> None:
        """Note that the shown state may have changed."""
        self._stale.set()

    def limited(self, throttled: Throttle | None, warning: AgentError | None) -> None:
        """Note what slows the work down. Counting a large library is only worth it while there is work."""
        shown = warning != self.warning or self._last is None or self._last.queued > 0
        self.throttled, self.warning = throttled, warning
        if shown:
            self.changed()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new status, in the event loop. Return a function to stop it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def now(self) -> AgentStatus:
        """Return the current status. Raises StoreError."""
        settings = self._settings.value  # before counting, so that the work they caused is counted
        done = self._progress.done
        damage = self.damage.value
        try:
            with everything():
                counts = self._counts = await asyncio.to_thread(self._count)
        except StoreDamaged as error:  # report it with the last counts: the status must show the reason
            counts, damage = self._counts, error
        jobs = counts.jobs
        queued = jobs.get(JobState.QUEUED, 0) + jobs.get(JobState.LEASED, 0)
        if not queued:
            await self._progress.counted.wait()  # the burst's summary includes its last photo
        blocked = self._indexer.told
        if isinstance(self._indexer.problem, ModelMissing):
            # A running download fixes itself; for a failed one the reason is shown instead.
            blocked = None if self.models.value.fetching else self.models.value.problem or blocked
        problem = blocked or damage or self._ingest.problem or self.settings_problem
        if self._indexer.paused or (self._indexer.held and queued):
            state = AgentState.PAUSED
        elif problem or self._ingest.folder_problems:
            state = AgentState.ATTENTION
        else:
            state = AgentState.WORKING if queued else AgentState.IDLE
        captures, watched, update = self.captures.value, self.watching.value, self.update.value
        return AgentStatus(
            state=state,
            queued=queued,
            failed=jobs.get(JobState.FAILED, 0) + jobs.get(JobState.QUARANTINED, 0),
            images=counts.images,
            faces=counts.faces,
            people=counts.people,
            doubts=counts.doubts,
            people_changed=self.people_changed.value,
            update=update.ready,
            taken_back=update.taken_back,
            captures=captures.open,
            captures_changed=captures.changes,
            watch=watched.state,
            watch_until=watched.until,
            watch_said=watched.said,
            watch_problem=watched.problem,
            burst=self._progress.burst(queued, done),
            folder_problems=tuple(self._ingest.folder_problems.items()),
            problem=problem,
            online_only=jobs.get(JobState.DEFERRED, 0),
            quiet_until=self._quiet.until(),
            throttled=self.throttled if queued and not self._indexer.paused else None,
            warning=self.warning or self.memory.value or self._monitor.engine.gap or self.backups.value,
            device_note=self._monitor.engine.device_note,
            finished=self._progress.last,
            settings=settings,
        )

    def _count(self) -> Counts:
        # A database server counts in a process of its own: what it takes shows on the clock alone.
        shared = self._counting.is_shared
        clock = time.monotonic if shared else time.thread_time
        began = clock()
        try:
            return self._counting.now()
        finally:
            self._pause_s = pause_after(clock() - began, shared=shared)

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            try:
                status = await self.now()
            except StoreError as error:
                log.error("status.unavailable", code=error.code)
            else:
                if status != self._last:
                    self._last = status
                    for listener in tuple(self._listeners):
                        listener(status)
            # Counting takes longer in a larger library, but never more than its share. Waiting for a busy machine isn't work; otherwise
            # the status would report work for many seconds after its end.
            await asyncio.sleep(self._pause_s)
            working = self._last is not None and self._last.queued
            await self._wait(TICK_S if working else QUIET_TICK_S if self._quiet.timed else None)

    async def _wait(self, seconds: float | None) -> None:
        await wait_at_most(self._stale, seconds)
        self._stale.clear()


def pause_after(counted_s: float, *, shared: bool) -> float:
    """Return the seconds to pause after counting took that long: processor time, but on a database server time by the clock."""
    pause_s = max(LEAST_INTERVAL_S, MOST_SHARE * counted_s)
    return min(pause_s, MOST_PAUSE_S) if shared else pause_s
