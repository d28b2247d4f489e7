"""The library page's index as sent: packed for the page, JSON for scripts; the same bytes until something changes."""

import hashlib
import struct
import sys
from array import array
from dataclasses import dataclass
from datetime import date

from agent.library.queries.library_queries import LibraryQueries
from agent.library.records import Index, Shown
from agent.library.schemas import Day, LibraryIndex
from agent.web.remembered import Remembered

_KEPT = 2  # for a large library each takes some megabytes
_WIDEST = 2**16 - 1
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Answer:
    """`etag` identifies the bytes."""

    etag: str
    body: bytes


class IndexAnswers:
    """Reads the library and caches the last result."""

    def __init__(self, library: LibraryQueries) -> None:
        self._library = library
        self._answers: Remembered[Answer] = Remembered(library.version, _KEPT)

    def forget(self) -> None:
        """Drop the cache after an idle time."""
        self._answers.forget()

    def get(self, shown: Shown, *, packed: bool) -> Answer:
        """Return the answer. Blocks. Raises StoreError."""

        def make() -> Answer:
            index = self._library.index(shown)
            body = pack(index) if packed else _json(index)
            return Answer(f'"{hashlib.sha256(body).hexdigest()[:32]}"', body)

        return self._answers.get((shown, packed), make)


def pack(index: Index) -> bytes:
    """Pack a 32-bit count of images and one of days; then 32 bits for each id, day (since 1970, signed) and the day's count, 16 per ratio.

    Everything is little-endian, and each part is aligned, so that a browser reads it without copying.
    """
    days = array("i", (day.toordinal() - _EPOCH for day, _ in index.days))
    counts = array("I", (count for _, count in index.days))
    # A strip whose ratio does not fit is treated like the longest one that does.
    ratios = index.ratios if max(index.ratios, default=0) <= _WIDEST else (min(ratio, _WIDEST) for ratio in index.ratios)
    parts = (array("I", index.ids), days, counts, array("H", ratios))
    if sys.byteorder == "big":
        for part in parts:
            part.byteswap()
    return b"".join((struct.pack("<II", len(index.ids), len(index.days)), *parts))


def _json(index: Index) -> bytes:
    days = tuple(Day(day=day, count=count) for day, count in index.days)
    return LibraryIndex(ids=index.ids, ratios=index.ratios, days=days, total=len(index.ids)).model_dump_json().encode()
