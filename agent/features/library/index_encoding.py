"""The library page's index as sent: packed for the page, JSON for scripts; the same bytes until something changes."""

import hashlib
import struct
import sys
from array import array
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

from agent.features.library.index_snapshot import WholeIndex, WholeIndexes
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.records import Index, Shown
from agent.features.library.schemas import Day, LibraryIndex
from agent.infrastructure.core.access_scope import AccessScope, current_scope, reaching
from agent.infrastructure.core.coalescing import RequestCoalescer
from agent.interfaces.web.version_cache import VersionedCache

_KEPT = 2  # for a large library each takes some megabytes
_SEARCHES = 4  # at once
_REST = 2.0
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class IndexAnswer:
    """`etag` identifies the bytes."""

    etag: str
    body: bytes


class IndexAnswers:
    """Reads the library and caches the last results.

    To read the index of a large library takes a quarter of a second: one is made at a time, for all who want it. A server reads that of all
    images once, and then what changed. Filtered ones don't wait for it, and what is searched for waits for neither and isn't kept.
    """

    def __init__(self, library: LibraryQueries, indexes: WholeIndexes) -> None:
        self._library = library
        self._indexes = indexes
        self._whole, self._filtered = (VersionedCache[IndexAnswer](library.version, most) for most in (1, _KEPT))
        self._of_whole, self._of_filtered = (RequestCoalescer[IndexAnswer](1, rest=_REST) for _ in range(2))
        self._searches = RequestCoalescer[IndexAnswer](_SEARCHES)
        self._made: OrderedDict[tuple[AccessScope | None, bool], tuple[WholeIndex, int, IndexAnswer]] = OrderedDict()

    def forget(self) -> None:
        """Drop the cache after an idle time."""
        self._whole.forget()
        self._filtered.forget()
        self._made.clear()
        self._indexes.forget()

    async def get(self, shown: Shown, *, packed: bool) -> IndexAnswer:
        """Return the answer. Raises StoreError."""

        def make() -> IndexAnswer:
            return _answer(self._library.large_index(shown), packed=packed)

        key, reach = (shown, packed), current_scope()
        if shown.text or shown.images is not None:
            return await self._searches.get((reach, key), make)
        if shown != Shown():
            return await self._of_filtered.get((reach, key), lambda: self._filtered.get(key, make))
        # It depends on no person, so it is the same for all members of the same libraries.
        reach = AccessScope(reach.libraries) if reach is not None else None
        with reaching(reach):
            return await self._of_whole.get((reach, key), lambda: self._followed((reach, packed)) or self._whole.get(key, make))

    def _followed(self, key: tuple[AccessScope | None, bool]) -> IndexAnswer | None:
        """Return the answer of the index of all images that is brought up to date; None if the library can't tell what changed."""
        with self._indexes.current() as index:
            if index is None:
                return None
            made, edition, answer = self._made.pop(key, (None, 0, None))
            if answer is None or made is not index or edition != index.edition:
                answer = _answer(index.index(), packed=key[1])
            self._made[key] = index, index.edition, answer
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return answer


def _answer(index: Index, *, packed: bool) -> IndexAnswer:
    body = pack(index) if packed else _json(index)
    return IndexAnswer(f'"{hashlib.sha256(body).hexdigest()[:32]}"', body)


def pack(index: Index) -> bytes:
    """Pack a 32-bit count of images and one of days; then 32 bits for each id, day (since 1970, signed) and the day's count, 16 per ratio.

    Everything is little-endian, and each part is aligned, so that a browser reads it without copying.
    """
    days = array("i", (day.toordinal() - _EPOCH for day, _ in index.days))
    counts = array("I", (count for _, count in index.days))
    ids = array("I", index.ids.tobytes() if isinstance(index.ids, array) else index.ids)  # none is negative
    parts = (ids, days, counts, array("H", index.ratios))
    if sys.byteorder == "big":
        for part in parts:
            part.byteswap()
    return b"".join((struct.pack("<II", len(index.ids), len(index.days)), *parts))


def _json(index: Index) -> bytes:
    days = tuple(Day(day=day, count=count) for day, count in index.days)
    return LibraryIndex(ids=tuple(index.ids), ratios=tuple(index.ratios), days=days, total=len(index.ids)).model_dump_json().encode()
