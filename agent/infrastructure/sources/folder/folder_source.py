"""Watched folders: the shipped implementation of the Source port."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from agent.domain.errors import AgentError, SourceLimit
from agent.domain.video import has_pictures
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.settings import Folder, SourceSettings
from agent.infrastructure.sources.folder.drives import is_remote
from agent.infrastructure.sources.folder.folder_events import Clock
from agent.infrastructure.sources.folder.folder_observer import LimitReached, Observation
from agent.infrastructure.sources.folder.folder_rules import Matcher
from agent.infrastructure.sources.folder.folder_scan import folder_root, is_below
from agent.infrastructure.sources.folder.folder_session import FolderReplaced, FolderScope, FolderSession, Known
from agent.infrastructure.sources.folder.folder_thread import FolderThread
from agent.infrastructure.sources.source import Emit, SourceFailed, SourceRecovered

_LIMITED_SCAN_S = 60.0  # scan interval of a folder that the system can't watch


@dataclass(frozen=True, slots=True)
class WatchPlan:
    """The settings that determine how a folder is watched: if unchanged after a reload, the watch is not restarted."""

    folder: Folder
    sources: SourceSettings
    inner: frozenset[str] = frozenset()  # inner folders that are watched separately


class FolderWatch:
    """One folder. After any error, its own or the consumer's, it is scanned again: no change is missed."""

    def __init__(
        self,
        plan: WatchPlan,
        known: Known,
        emit: Emit,
        *,
        poll_s: float = 5.0,
        retry_s: float = 10.0,
        clock: Clock = time.monotonic,
        remote: Callable[[str], bool] = is_remote,
    ) -> None:
        self.plan = plan
        self.root = folder_root(plan.folder)
        self._known, self._emit = known, emit
        self._poll_s, self._retry_s, self._clock, self._remote = poll_s, retry_s, clock, remote
        self._thread = FolderThread()
        self._session: FolderSession | None = None
        self._decided = asyncio.Event()  # whether the folder exists
        self._try_now = asyncio.Event()
        self.trouble = ""  # code of the last reported error; empty without one

    async def run(self) -> None:
        """Emit changes until cancelled; an error is reported once."""
        try:
            while True:
                try:
                    await self._watch()
                except FolderReplaced:
                    self._decided.clear()
                except AgentError as error:
                    await self._tell_trouble(error)
                    self._decided.set()
                    self._try_now.clear()
                    await wait_at_most(self._try_now, self._retry_s)
        finally:
            self._decided.set()
            self._thread.close()

    async def rescan(self) -> None:
        """Scan the folder now; returns when that is done. A missing folder is looked for immediately."""
        await self._decided.wait()
        if self._session is not None:
            await self._session.rescan()
        else:
            self._try_now.set()

    async def _watch(self) -> None:
        """Watch until an error. At the system's limit of watched folders, scan at intervals and retry after a while."""
        here = await self._thread.find(self.root)
        matcher = Matcher(self.root, self.plan.folder, has_pictures)
        sources = self.plan.sources
        if not sources.polling and await self._thread.ask(lambda: self._remote(here.real)):
            sources = sources.model_copy(update={"polling": True})  # the system does not report other computers' changes there
        scope = FolderScope(self.root, here, matcher, self.plan.inner)
        session = FolderSession(scope, sources, self._known, self._emit, self._thread, self._clock)
        observation = Observation(session.heard, session.overflowed)
        rescan_s = sources.rescan_minutes * 60.0
        tasks: list[asyncio.Task[None]] = []
        try:
            told = await self._observed(observation, here.real, asked=sources.polling)
            every_s = rescan_s if told else min(_LIMITED_SCAN_S, rescan_s)
            tasks = [asyncio.create_task(session.tick()), asyncio.create_task(session.scans(every_s))]
            self._session = session
            self._decided.set()
            done, _ = await asyncio.wait(tasks, timeout=None if told else rescan_s, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._session = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            session.answer_rescans()
            await asyncio.get_running_loop().run_in_executor(None, observation.stop)

    async def _observed(self, observation: Observation, real: str, *, asked: bool) -> bool:
        """Whether the system reports changes; emits a change of that state."""
        poll_s = self._poll_s if asked else None
        try:
            # Without a time limit: a large tree takes a while, and its top has just answered.
            await self._thread.ask(lambda: observation.start(real, recursive=self.plan.folder.recursive, poll_s=poll_s), limit_s=None)
        except LimitReached:
            await self._tell_trouble(SourceLimit())
            return False
        if self.trouble:
            self.trouble = ""
            await self._emit(SourceRecovered(self.root))
        return True

    async def _tell_trouble(self, error: AgentError) -> None:
        if error.code != self.trouble:
            self.trouble = error.code
            await self._emit(SourceFailed(self.root, error))


class FolderSource:
    """Watches folders.

    `known` yields path and (size in bytes, mtime in nanoseconds) of the library's files below a folder, in path order; it is called and
    read in a thread and may block.
    Folders that are `remote` (all, if `sources.polling` is set) are polled every `poll_s` seconds; missing folders are looked for every
    `retry_s` seconds.
    """

    def __init__(
        self,
        folders: Sequence[Folder],
        sources: SourceSettings,
        known: Known,
        *,
        poll_s: float = 5.0,
        retry_s: float = 10.0,
        clock: Clock = time.monotonic,
        remote: Callable[[str], bool] = is_remote,
    ) -> None:
        self._plans = _plans(folders, sources)
        self._known = known
        self._watch = partial(FolderWatch, poll_s=poll_s, retry_s=retry_s, clock=clock, remote=remote)
        self._running: dict[str, tuple[FolderWatch, asyncio.Task[None]]] = {}
        self._emit: Emit | None = None
        self._group: asyncio.TaskGroup | None = None
        self._reloading = asyncio.Lock()

    async def run(self, emit: Emit) -> None:
        """Emit changes until cancelled. A failing folder is reported as SourceFailed and looked for again."""
        self._emit = emit
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._apply()
                await asyncio.get_running_loop().create_future()  # until cancelled
        finally:
            self._emit = self._group = None
            self._running.clear()

    async def rescan(self) -> None:
        """Scan every folder now; returns when all changes are emitted."""
        await asyncio.gather(*(watch.rescan() for watch, _ in self._running.values()))

    async def reconfigure(self, folders: Sequence[Folder], sources: SourceSettings) -> None:
        """Apply new settings; unchanged folders continue undisturbed. May be called before or while `run` runs."""
        self._plans = _plans(folders, sources)
        await self._apply()

    async def _apply(self) -> None:
        async with self._reloading:
            if self._group is None or self._emit is None:
                return
            ended = [root for root, (watch, _) in self._running.items() if self._plans.get(root) != watch.plan]
            for root in ended:
                watch, task = self._running.pop(root)
                task.cancel()
                await asyncio.wait([task])
                if watch.trouble and root not in self._plans:
                    await self._emit(SourceRecovered(root))  # it is no longer in the settings
            for root, plan in self._plans.items():
                if root not in self._running:
                    watch = self._watch(plan, self._known, self._emit)
                    # Of its own: it outlives the request that added the folder, and does not act for it.
                    self._running[root] = watch, self._group.create_task(watch.run(), context=Context())


def _plans(folders: Sequence[Folder], sources: SourceSettings) -> dict[str, WatchPlan]:
    """Root -> plan. A folder listed twice is watched once, by its last entry."""
    by_root = {folder_root(folder): folder for folder in folders}
    return {
        root: WatchPlan(folder, sources, frozenset(other for other in by_root if is_below(other, root))) for root, folder in by_root.items()
    }
