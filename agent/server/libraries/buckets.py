"""Buckets as sources of a team server: adding, changing, checking and removing them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from agent.domain.errors import AgentError, BucketInvalid, BucketKeysAgain, BucketNoKeys, BucketNotReached, NotFound
from agent.infrastructure.core.abandonable_calls import call_with_timeout
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, BucketState, Keys, checked
from agent.infrastructure.sources.bucket.bucket_reader import BucketReader
from agent.infrastructure.sources.bucket.bucket_source import BucketSource
from agent.server.libraries.bucket_keys import BucketKeys
from agent.server.libraries.bucket_queries import BucketQueries

_CHECK_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class BucketSeen:
    """A bucket as administrators see it."""

    bucket: Bucket
    state: BucketState
    library_id: int | None
    photos: int
    has_keys: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What one page of a listing showed."""

    holds_objects: bool
    problem: AgentError | None


class Buckets:
    """`left` marks the photos of a root as gone. Use it from one event loop."""

    def __init__(
        self,
        queries: BucketQueries,
        keys: BucketKeys,
        reader: BucketReader,
        source: BucketSource,
        left: Callable[[str, datetime], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._queries = queries
        self._keys = keys
        self._reader = reader
        self._source = source
        self._left = left
        self._clock = clock
        self._roots: tuple[str, ...] = ()

    def begin(self) -> None:
        """Read which there are, and what was said of them before a restart. Blocks."""
        self._source.states.update(self._queries.states())
        self._roots = tuple(each.root for each in self._queries.buckets())

    async def changed_elsewhere(self) -> None:
        """Another process added, changed or removed one. Raises StoreError."""
        found = await asyncio.to_thread(self._queries.buckets)
        for name in {*self._source.states, *(each.name for each in found)}:
            self._source.changed(name)
        self._roots = tuple(each.root for each in found)

    @property
    def failing(self) -> int:
        """Return how many could not be listed lately."""
        return sum(each.failing_since is not None for each in self._source.states.values())

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders under which their photos are noted."""
        return self._roots

    async def seen(self) -> list[BucketSeen]:
        """All, by name."""
        return await asyncio.to_thread(self._seen)

    async def add(self, bucket: Bucket, keys: Keys | None, library_id: int) -> Bucket:
        """Add a source; without a name it gets one. Raises BucketInvalid, BucketTaken, NotFound, KeyHomeError."""
        _check_keys(bucket, keys)
        made = checked(bucket if bucket.name else replace(bucket, name=await asyncio.to_thread(self._queries.free_name)))
        with everything():
            await asyncio.to_thread(self._queries.add, made, library_id, self._clock())
            if keys is not None:
                try:
                    await asyncio.to_thread(self._keys.keep, made, keys)
                except BaseException:
                    await asyncio.to_thread(self._queries.remove, made, self._clock())
                    raise
        await self._changed(made.name)
        return made

    async def change(self, name: str, values: Mapping[str, Any], keys: Keys | None) -> None:
        """Change parts of a source, or its keys, which another place asks for again.

        Raises BucketInvalid, BucketKeysAgain, NotFound, KeyHomeError.
        """
        with everything():
            before = await self._known(name)
            after = checked(replace(before, **values))
            _check_keys(after, keys)
            if keys is not None:
                await asyncio.to_thread(self._keys.keep, after, keys)
            elif after.place != before.place:
                if after.access is BucketAccess.KEYS:
                    raise BucketKeysAgain
                await asyncio.to_thread(self._keys.forget, name)
            said = " ".join([*sorted(values), *(["keys"] if keys is not None else [])])
            await asyncio.to_thread(self._queries.change, after, self._clock(), said)
        await self._changed(name)

    async def remove(self, name: str) -> None:
        """Its photos leave the library as those of a folder that is no longer watched. The bucket is not touched. Raises NotFound."""
        with everything():
            bucket = await self._known(name)
            await asyncio.to_thread(self._queries.remove, bucket, self._clock())
            await self._changed(name)
            await self._source.settled(name)
            await asyncio.to_thread(self._left, bucket.root, self._clock())
            await asyncio.to_thread(self._keys.forget, name)

    async def check(self, bucket: Bucket, keys: Keys | None) -> Checked:
        """Request one page. Without keys those that this computer has for that name are used. Raises BucketInvalid."""
        asked = checked(bucket if bucket.name else replace(bucket, name="check"))

        def tried() -> bool:
            found = keys
            if asked.access is BucketAccess.KEYS and found is None:
                known = self._queries.bucket(asked.name)
                found = self._keys.of(asked, is_source=known is not None and known.place == asked.place)
                if found is None:
                    raise BucketNoKeys
            return self._reader.try_out(asked, found)

        try:
            return Checked(await call_with_timeout(tried, _CHECK_S), None)
        except TimeoutError:
            return Checked(False, BucketNotReached())
        except AgentError as error:
            return Checked(False, error)

    async def check_known(self, name: str) -> Checked:
        """Raises NotFound."""
        return await self.check(await self._known(name), None)

    async def list_now(self, name: str) -> None:
        """Raises NotFound."""
        await self._known(name)
        self._source.changed(name)

    async def _known(self, name: str) -> Bucket:
        found = await asyncio.to_thread(self._queries.bucket, name)
        if found is None:
            raise NotFound
        return found

    async def _changed(self, name: str) -> None:
        self._roots = tuple(each.root for each in await asyncio.to_thread(self._queries.buckets))
        self._source.changed(name)

    def _seen(self) -> list[BucketSeen]:
        counts, libraries = self._queries.photo_counts(), self._queries.libraries()
        states = self._source.states if self._source.runs else self._queries.states()
        return [
            BucketSeen(
                each,
                states.get(each.name, BucketState()),
                libraries.get(each.root),
                counts.get(each.root, 0),
                self._has_keys(each),
            )
            for each in self._queries.buckets()
        ]

    def _has_keys(self, bucket: Bucket) -> bool:
        try:
            return bucket.access is BucketAccess.KEYS and self._keys.of(bucket) is not None
        except AgentError:
            return False


def _check_keys(bucket: Bucket, keys: Keys | None) -> None:
    if keys is not None and bucket.access is not BucketAccess.KEYS:
        raise BucketInvalid(field="keys")
