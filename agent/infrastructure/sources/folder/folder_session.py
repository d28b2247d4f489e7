"""One period in which a watched folder is available: its events, its settling files, and its scans."""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from watchdog.events import FileSystemEvent

from agent.domain.errors import SourceUnreachable
from agent.domain.image import FileSeen, is_sidecar
from agent.domain.jobs import Priority
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.settings import SourceSettings
from agent.infrastructure.sources.folder.debounce import Debouncer
from agent.infrastructure.sources.folder.folder_events import Clock, Hints
from agent.infrastructure.sources.folder.folder_observer import TELLS_OF_CLOSING
from agent.infrastructure.sources.folder.folder_rules import Matcher
from agent.infrastructure.sources.folder.folder_scan import (
    Comparison,
    Entry,
    Facts,
    Walk,
    file_facts,
    is_below,
    missing,
    name_of,
    parent_of,
    topmost,
)
from agent.infrastructure.sources.folder.folder_thread import FolderThread, WatchedFolderState
from agent.infrastructure.sources.source import Emit, FileAppeared, FileMoved, FilesGone, SidecarChanged, TreeMoved

Known: TypeAlias = Callable[[str], Iterable[Entry]]  # in path order

_CHECK_S = 5.0  # interval for checking that the folder still exists: the system does not report an unplugged disk
_BURST_S = 0.02  # events rarely come alone
_MOVES_S = 0.1  # a renamed folder's events come in a burst
_STEP = 1000  # files per query or message
_RECENT = 4096  # recently emitted files, so that a scan and an event about the same file cause one change


class FolderReplaced(Exception):
    """The folder was replaced by another of the same name: it must be watched anew."""


@dataclass(frozen=True, slots=True)
class FolderScope:
    """The folder of a session, and which of its files belong to it."""

    root: str
    here: WatchedFolderState
    matcher: Matcher
    inner: frozenset[str] = frozenset()  # folders in it that are watched separately


class FolderSession:
    """Runs `tick` for events and `scans` for scans of the whole folder, both on the event loop. Both raise SourceUnreachable."""

    def __init__(
        self,
        scope: FolderScope,
        sources: SourceSettings,
        known: Known,
        emit: Emit,
        thread: FolderThread,
        clock: Clock,
    ) -> None:
        self._here, self._root, self._matcher, self._inner = scope.here, scope.root, scope.matcher, scope.inner
        self._sources = sources
        self._known, self._emit, self._thread, self._clock = known, emit, thread, clock
        steady_s = sources.settle_ms / 1000
        eager = not (TELLS_OF_CLOSING or sources.polling)  # on polled drives, size and time may be outdated
        settling = Debouncer(steady_s, sources.queue, eager=eager)
        self._hints = Hints(self._root, self._here.real, self._matcher, settling, sources.queue, steady_s + 0.6, self._mine, clock)
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[FileSystemEvent] = deque()
        self._lost = False  # whether events were lost
        self._woken = False
        self._wake = asyncio.Event()
        self._recent: OrderedDict[str, Facts] = OrderedDict()
        self._next_check = clock() + _CHECK_S
        self._scan_wanted = asyncio.Event()
        self._scanned: list[asyncio.Future[None]] = []
        self._scan_took = 0.0

    # -- from the observer's threads ---------------------------------------------------------------------------------------------

    def heard(self, event: FileSystemEvent) -> None:
        if len(self._inbox) >= self._sources.queue:
            self._lost = True
        else:
            self._inbox.append(event)
        if not self._woken:
            self._woken = True
            self._call_soon(self._wake.set)

    def overflowed(self) -> None:
        self._lost = True
        self._call_soon(self._wake.set)

    def _call_soon(self, callback: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop was closed: the program ends
            self._loop.call_soon_threadsafe(callback)

    # -- events ------------------------------------------------------------------------------------------------------------------

    async def tick(self) -> None:
        """Handle events and their consequences, until cancelled. Raises FolderReplaced."""
        while True:
            await wait_at_most(self._wake, max(0.0, self._next_due() - self._clock()))
            if self._inbox:
                await asyncio.sleep(_BURST_S)
            await self._drain()
            if self._hints.root_in_doubt:
                await self._check_root()
                raise FolderReplaced
            if self._clock() >= self._next_check:
                await self._check_root()
            if self._hints.overflow:
                self._hints.overflow = False
                self._recent.clear()
                if self._matcher.sidecars:
                    await self._emit(SidecarChanged(self._root))
                # Delayed: a program that makes so many changes is hardly done, and a scan takes time.
                self._loop.call_later(max(1.0, 2 * self._scan_took), self._scan_wanted.set)
            await self._tell_moves()
            await self._look_into_new_trees()
            await self._take_settled()
            await self._tell_gone()

    def _next_due(self) -> float:
        times = [self._next_check, *self._hints.trees.values(), *self._hints.gone.values()]
        if (settled := self._hints.settling.next_due()) is not None:
            times.append(settled)
        if self._hints.moves:
            times.append(self._hints.moved_at + _MOVES_S)
        return min(times)

    async def _check_root(self) -> None:
        """Raises SourceUnreachable if the folder is gone or does not answer, FolderReplaced if another one took its place."""
        here = await self._thread.find(self._root)
        # Polled folders are addressed by name; and network drives, which they often are, may renumber a folder at any time.
        if here != self._here and not self._sources.polling:
            raise FolderReplaced
        self._next_check = self._clock() + _CHECK_S

    async def _drain(self) -> None:
        self._woken = False
        self._wake.clear()
        for count in range(len(self._inbox)):
            self._hints.take(self._inbox.popleft())
            if count % _STEP == 0:
                await asyncio.sleep(0)
        if self._lost:
            self._lost = False
            self._hints.forget_all()

    async def _tell_moves(self) -> None:
        if not self._hints.moves or self._clock() < self._hints.moved_at + _MOVES_S:
            return
        moves = self._hints.take_moves()
        for move in moves:
            if move.tree:
                self._recent.clear()
                await self._emit(TreeMoved(move.old, move.new))
                continue
            facts = await self._thread.ask(partial(file_facts, move.new))
            if facts is None:
                self._hints.gone[move.old] = self._clock()
                if any(other.tree for other in moves):
                    self._scan_wanted.set()  # the move involved a folder: too complex to follow
            else:
                self._recent.pop(move.old, None)
                self._remember(move.new, facts)
                await self._emit(FileMoved(move.old, self._seen(move.new, facts)))

    async def _look_into_new_trees(self) -> None:
        now = self._clock()
        due = [path for path, when in self._hints.trees.items() if when <= now]
        for path in due:
            del self._hints.trees[path]
        for top in topmost(set(due)):
            found = Comparison(Walk(top, self._matcher, self._inner))
            while not found.finished and not self._hints.overflow:
                for path, _ in await self._thread.ask(found.step_or_end):
                    self._hints.hint(path)

    async def _take_settled(self) -> None:
        settling = self._hints.settling
        while due := settling.due(self._clock(), _STEP):
            facts = await self._thread.ask(lambda: [file_facts(path) for path in due])
            now = self._clock()
            gone = {name_of(path): path for path in self._hints.gone}
            for path, found in zip(due, facts, strict=True):
                if settling.looked(path, found, now) and found is not None and self._recent.get(path) != found:
                    self._remember(path, found)
                    if is_sidecar(path):
                        await self._emit(SidecarChanged(path))
                        continue
                    seen = self._seen(path, found)
                    old = await self._moved_from(gone.get(name_of(path)), found)
                    await self._emit(FileAppeared(seen) if old is None else FileMoved(old, seen))

    async def _moved_from(self, gone: str | None, facts: Facts) -> str | None:
        """The deleted file that moved here, if it has the same name: Windows reports moves between folders as deletion and creation."""
        if gone is None:
            return None
        known = await self._thread.ask(lambda: dict(self._known(parent_of(gone))), limit_s=None)
        return gone if known.get(gone) == facts and self._hints.gone.pop(gone, None) is not None else None

    async def _tell_gone(self) -> None:
        now = self._clock()
        due = [path for path, when in self._hints.gone.items() if when <= now]
        for path in due:
            del self._hints.gone[path]
        for back in await self._tell_missing(due):
            if self._matcher.takes(back):
                self._hints.hint(back)
            else:
                self._hints.trees[back] = now

    # -- scanning the whole folder -----------------------------------------------------------------------------------------------

    async def rescan(self) -> None:
        """Scan the folder now; returns when that is done or the session ends."""
        done = self._loop.create_future()
        self._scanned.append(done)
        self._scan_wanted.set()
        await done

    async def scans(self, every_s: float) -> None:
        """Scan the folder at once, at intervals, and on request, until cancelled."""
        while True:
            self._scan_wanted.clear()
            waiting = len(self._scanned)
            started = self._clock()
            await self._scan()
            self._scan_took = self._clock() - started
            self.answer_rescans(waiting)
            await wait_at_most(self._scan_wanted, every_s)

    async def _scan(self) -> None:
        walk = Walk(self._root, self._matcher, self._inner)
        comparison = Comparison(walk, (entry for entry in self._known(self._root) if self._mine(entry[0])))
        while not comparison.finished:
            await self._tell_found(await self._thread.ask(comparison.step))
        if walk.empty and not comparison.none_known:
            raise SourceUnreachable  # a disk's mount point without its disk: none of its files may be reported as gone
        moving = {move.old for move in self._hints.moves} | self._hints.gone.keys()
        lost = [path for path in comparison.lost if path not in moving and not any(is_below(path, folder) for folder in walk.unreadable)]
        await self._tell_missing(lost)
        await self._check_root()

    async def _tell_found(self, entries: Sequence[Entry]) -> None:
        fresh = time.time_ns() - self._sources.settle_ms * 1_000_000
        for path, facts in entries:
            if path in self._hints.settling or self._recent.get(path) == facts:
                continue
            if facts[1] > fresh:
                self._hints.hint(path)  # it may be being written right now
                self._wake.set()
            else:
                self._remember(path, facts)
                await self._emit(FileAppeared(self._seen(path, facts), Priority.BACKLOG))

    async def _tell_missing(self, paths: Sequence[str]) -> list[str]:
        """Emit the paths that are really gone, if the folder itself exists; returns the others."""
        there: list[str] = []
        for start in range(0, len(paths), _STEP):
            chunk = paths[start : start + _STEP]
            gone = set(await self._thread.ask(partial(missing, chunk)))
            await self._check_root()  # checked afterwards: an unplugged disk must not remove photos from the library
            if gone:
                self._forget_recent(gone)
                await self._emit(FilesGone(topmost(gone)))
            there += [path for path in chunk if path not in gone]
        return there

    def answer_rescans(self, count: int | None = None) -> None:
        """Release waiting `rescan` calls: the first `count`, or all when the session ends."""
        answered = self._scanned[:count]
        del self._scanned[:count]
        for future in answered:
            if not future.done():
                future.set_result(None)

    # -- helpers -----------------------------------------------------------------------------------------------------------------

    def _mine(self, path: str) -> bool:
        return not any(path == folder or is_below(path, folder) for folder in self._inner)

    def _seen(self, path: str, facts: Facts) -> FileSeen:
        return FileSeen(path, *facts, folder=self._root)

    def _remember(self, path: str, facts: Facts) -> None:
        self._recent[path] = facts
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _forget_recent(self, gone: Collection[str]) -> None:
        for path in gone:
            if self._recent.pop(path, None) is None:
                self._recent.clear()  # a folder with everything that was below it
                return
