"""The index of all images, kept in the library page's order and changed in place."""

import threading
from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from agent.features.library.records import Index
from agent.infrastructure.core.access_scope import AccessScope, current_scope, reaching
from agent.infrastructure.store.change_cursor import Moment

DAY = 24 * 3_600 * 1_000_000  # microseconds
EPOCH = date(1970, 1, 1).toordinal()
_FEW = 30
_MOST_IMAGES = 1_000_000  # of all that are kept: they take 20 MB
Row = tuple[int, int, int, int]
"""an image's id, its width by its height in hundredths, when it was taken in microseconds since 1970, and its number of faces"""


@dataclass(slots=True)
class WholeIndex:
    """As of a moment; newest first, and of the same instant the highest id first."""

    moment: Moment
    ids: "array[int]"
    ratios: "array[int]"
    times: "array[int]"
    face_counts: "array[int]"
    edition: int = 0  # another one has other images
    faces: int = field(init=False)
    days: Counter[int] = field(init=False)

    def __post_init__(self) -> None:
        self.faces = sum(self.face_counts)
        self.days = Counter(time // DAY for time in self.times)

    def replace(self, changed: frozenset[int], rows: Iterable[Row], moment: Moment) -> None:
        """Take over images that changed: `rows` has those of them that are shown."""
        self.moment = moment
        if not changed:
            return
        for at in sorted(_positions(self.ids, changed), reverse=True):
            self._drop(at)
        for row in rows:
            self._add(row)
        self.edition += 1

    def index(self) -> Index:
        days = tuple((date.fromordinal(day + EPOCH), count) for day, count in sorted(self.days.items(), reverse=True) if count)
        return Index(ids=self.ids, ratios=self.ratios, days=days)

    @property
    def _columns(self) -> "tuple[array[int], ...]":
        return self.ids, self.ratios, self.times, self.face_counts

    def _drop(self, at: int) -> None:
        self.days[self.times[at] // DAY] -= 1
        self.faces -= self.face_counts[at]
        for column in self._columns:
            del column[at]

    def _add(self, row: Row) -> None:
        image_id, _, time, faces = row
        at = bisect_left(range(len(self.ids)), (-time, -image_id), key=lambda at: (-self.times[at], -self.ids[at]))
        for column, value in zip(self._columns, row, strict=True):
            column.insert(at, value)
        self.days[time // DAY] += 1
        self.faces += faces


def _positions(ids: "array[int]", wanted: frozenset[int]) -> Iterator[int]:
    """Yield where they are, of those that are there.

    Among 300,000 a pass in Python takes 20 ms, and finding the bytes of one of them half a millisecond.
    """
    if len(wanted) > _FEW:
        yield from (at for at, each in enumerate(ids) if each in wanted)
        return
    among, size = ids.tobytes(), ids.itemsize
    for each in wanted:
        sought = array(ids.typecode, (each,)).tobytes()
        at = among.find(sought)
        while at % size and at >= 0:  # found across two ids
            at = among.find(sought, at + 1)
        if at >= 0:
            yield at // size


class _Reads(Protocol):
    def whole_index(self, before: WholeIndex | None) -> WholeIndex | None: ...


class WholeIndexes:
    """Keeps those of the reaches asked for last, as far as there is room: each is read once, and then what changed."""

    def __init__(self, library: _Reads) -> None:
        self._library = library
        self._turn = threading.Lock()
        self._kept: OrderedDict[AccessScope | None, WholeIndex] = OrderedDict()

    @contextmanager
    def current(self) -> Iterator[WholeIndex | None]:
        """Yield the index within reach, up to date, which nothing changes meanwhile; None if the library can't tell what changes.

        Blocks. Raises StoreError.
        """
        asked = current_scope()
        reach = AccessScope(asked.libraries) if asked is not None else None  # the same for all members of the same libraries
        with self._turn:
            before = self._kept.pop(reach, None)  # an error leaves none, so that the next one is read anew
            with reaching(reach):  # not while it is used: what is counted beside it depends on the member's role
                index = self._library.whole_index(before)
            if index is not None:
                self._kept[reach] = index
                while len(self._kept) > 1 and sum(len(each.ids) for each in self._kept.values()) > _MOST_IMAGES:
                    self._kept.popitem(last=False)
            yield index

    def forget(self) -> None:
        """Drop all, unless one is in use: they have not been used for a while. Does not block."""
        if self._turn.acquire(blocking=False):
            try:
                self._kept.clear()
            finally:
                self._turn.release()
