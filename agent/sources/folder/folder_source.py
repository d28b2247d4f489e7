"""Watched folders: the shipped implementation of the Source port."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from agent.core.settings import Folder, Sources
from agent.sources.folder.drives import is_remote
from agent.sources.folder.folder_events import Clock
from agent.sources.folder.folder_scan import folder_root, is_below
from agent.sources.folder.folder_session import Known
from agent.sources.folder.folder_watch import FolderWatch, WatchPlan
from agent.sources.source import Emit, SourceRecovered


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
        sources: Sources,
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

    async def reconfigure(self, folders: Sequence[Folder], sources: Sources) -> None:
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
                    self._running[root] = watch, self._group.create_task(watch.run())


def _plans(folders: Sequence[Folder], sources: Sources) -> dict[str, WatchPlan]:
    """Root -> plan. A folder listed twice is watched once, by its last entry."""
    by_root = {folder_root(folder): folder for folder in folders}
    return {
        root: WatchPlan(folder, sources, frozenset(other for other in by_root if is_below(other, root))) for root, folder in by_root.items()
    }
