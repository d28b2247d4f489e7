"""All buckets of a server as one source: each is listed at intervals and compared with what the library knows."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

import structlog

from agent.domain.errors import AgentError, BucketEmpty, BucketNamesUnreadable, BucketNotReached, StoreError
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.infrastructure.core.abandonable_calls import call_with_timeout
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketState
from agent.infrastructure.sources.bucket.bucket_reader import BucketReader
from agent.infrastructure.sources.bucket.listing import Listing
from agent.infrastructure.sources.folder.folder_scan import Comparison, Entry
from agent.infrastructure.sources.source import Emit, FileAppeared, FilesGone, SourceFailed, SourceRecovered

log = structlog.get_logger()

# After a failure: the next try waits twice as long each time, never longer than the source's own interval.
FIRST_RETRY_S: Final = 5.0
# A step asks for a page or two, each with its retries.
_STEP_S: Final = 180.0
_GONE_AT_ONCE: Final = 500
# Removed photos of one listing; the next finds the rest.
_MOST_GONE: Final = 200_000


class BucketSource:
    """A RemoteSource. Use it from one event loop, but for `open`."""

    def __init__(
        self,
        reader: BucketReader,
        buckets: Callable[[], Sequence[Bucket]],
        known_files: Callable[[str], Iterable[Entry]],
        noted: Callable[[str, BucketState], None],
        clock: Callable[[], datetime],
    ) -> None:
        """`noted` keeps the state of a source. It, `buckets` and `known_files` block, and raise StoreError."""
        self._reader = reader
        self._buckets = buckets
        self._known_files = known_files
        self._noted = noted
        self._clock = clock
        self._changed = asyncio.Event()
        self._wake: dict[str, asyncio.Event] = {}
        self._running: dict[Bucket, asyncio.Task[None]] = {}
        self._settled = asyncio.Condition()
        self._runs = False
        self.states: dict[str, BucketState] = {}

    def open(self, item: str) -> int:
        return self._reader.open(item)

    @property
    def runs(self) -> bool:
        """Return whether this process lists the buckets; otherwise another one notes their states."""
        return self._runs

    def changed(self, name: str) -> None:
        """Follow what was changed about a source, or that it was added or removed."""
        self._reader.forget(name)
        self._changed.set()
        if (wake := self._wake.get(name)) is not None:
            wake.set()

    async def settled(self, name: str) -> None:
        """Wait until a source that was removed is no longer listed, so that no photo of it is found any more."""
        async with self._settled:
            await self._settled.wait_for(lambda: all(bucket.name != name for bucket in self._running))

    async def rescan(self) -> None:
        for wake in self._wake.values():
            wake.set()

    async def run(self, emit: Emit) -> None:
        """List each bucket until cancelled; follow sources that are added, changed and removed."""
        running, self._runs = self._running, True
        try:
            while True:
                self._changed.clear()
                wanted = set(await asyncio.to_thread(self._buckets))
                for bucket in running.keys() - wanted:
                    running[bucket].cancel()
                    await asyncio.gather(running[bucket], return_exceptions=True)
                    del running[bucket]
                    if all(each.name != bucket.name for each in wanted):
                        self.states.pop(bucket.name, None)
                        await emit(SourceRecovered(bucket.root))
                for bucket in wanted - running.keys():
                    running[bucket] = asyncio.create_task(self._follow(bucket, emit))
                async with self._settled:
                    self._settled.notify_all()
                await self._next_change(running.values())
        finally:
            self._runs = False
            for task in running.values():
                task.cancel()
            await asyncio.gather(*running.values(), return_exceptions=True)
            running.clear()

    async def _next_change(self, running: Iterable["asyncio.Task[None]"]) -> None:
        """Wait for a change. Raises what ended a listing: only the library's own errors do."""
        change = asyncio.create_task(self._changed.wait())
        try:
            done, _ = await asyncio.wait({change, *running}, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {change}:
                task.result()
        finally:
            change.cancel()

    async def _follow(self, bucket: Bucket, emit: Emit) -> None:
        wake = self._wake.setdefault(bucket.name, asyncio.Event())
        retry_s, interval_s = FIRST_RETRY_S, bucket.minutes * 60.0
        while True:
            wake.clear()
            if await self._listed(bucket, emit):
                retry_s, pause_s = FIRST_RETRY_S, interval_s
            else:
                pause_s = min(retry_s, interval_s)
                retry_s *= 2
            await wait_at_most(wake, pause_s)

    async def _listed(self, bucket: Bucket, emit: Emit) -> bool:
        """List it once. A failure says nothing about photos: they stay."""
        try:
            store = await call_with_timeout(lambda: self._reader.store(bucket.name), _STEP_S)
            listing = Listing(store, bucket)
            gone = await self._compared(listing, bucket, emit)
        except TimeoutError:
            await self._failed(bucket, BucketNotReached(), emit)
            return False
        except StoreError:
            return False  # the library's own matter, which the status shows
        except AgentError as error:
            await self._failed(bucket, error, emit)
            return False
        if listing.whole:
            for start in range(0, len(gone), _GONE_AT_ONCE):
                await emit(FilesGone(tuple(gone[start : start + _GONE_AT_ONCE])))
        problem = None if listing.whole else BucketNamesUnreadable()
        await emit(SourceRecovered(bucket.root) if problem is None else SourceFailed(bucket.root, problem))
        await self._note(bucket, BucketState(self._clock(), None, problem.code if problem else ""))
        log.info("bucket.listed", whole=listing.whole, gone=len(gone) if listing.whole else 0)
        return True

    async def _compared(self, listing: Listing, bucket: Bucket, emit: Emit) -> list[str]:
        """Emit what is new or changed. Return the known photos that were not met. Raises AgentError, TimeoutError."""
        comparison = Comparison(listing, self._known_files(bucket.root))
        while not comparison.finished and listing.failure is None:
            changed = await call_with_timeout(comparison.step, _STEP_S)
            del comparison.lost[_MOST_GONE:]
            priority = Priority.BACKLOG if comparison.none_known else Priority.NEW
            for path, (size, version) in changed:
                await emit(FileAppeared(FileSeen(path, size, version, bucket.root), priority))
        if listing.failure is not None:
            raise listing.failure
        if listing.empty and listing.whole and not comparison.none_known:
            raise BucketEmpty  # a wrong prefix, or a policy that hides: as with a mount point without its disk, nothing counts as gone
        return comparison.lost

    async def _failed(self, bucket: Bucket, error: AgentError, emit: Emit) -> None:
        log.warning("bucket.not_listed", code=error.code)
        await emit(SourceFailed(bucket.root, error))
        before = self.states.get(bucket.name, BucketState())
        await self._note(bucket, replace(before, failing_since=before.failing_since or self._clock(), problem=error.code))

    async def _note(self, bucket: Bucket, state: BucketState) -> None:
        self.states[bucket.name] = state
        with suppress(StoreError):  # it is said again after the next listing
            await asyncio.to_thread(self._noted, bucket.name, state)
