"""The progress of a burst: done, rate and time left, computed from given facts."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# The rate follows the last seconds, so that an early slow start or large photo does not distort the estimate.
WINDOW_S = 15.0


@dataclass(frozen=True, slots=True)
class BurstProgress:
    """A burst lasts from the first queued photo until the queue is empty."""

    done: int
    total: int
    rate: float  # photos per second
    seconds_left: float | None  # None until there is a rate
    faces: int
    people: int  # known people in its photos so far
    failed: int


@dataclass(frozen=True, slots=True)
class BurstSummary:
    """The result of a burst."""

    photos: int  # scanned ones
    with_faces: int
    people: int  # known people in its photos
    failed: int


class BurstTracker:
    """Counts one burst at a time. `monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self.last: BurstSummary | None = None  # the last burst, until the next photo arrives
        self.counted = asyncio.Event()
        """set while every photo whose job has ended in the library is counted"""
        self.counted.set()
        self._counting = 0
        self._ended: deque[float] = deque(maxlen=10_000)
        self._reset()

    def _reset(self) -> None:
        self._ended.clear()
        self._started = self._now()
        self._total = 0
        self._done = self._failed = self._faces = self._with_faces = 0
        self._people: set[int] = set()

    @property
    def done(self) -> int:
        """Return how many photos of this burst have ended."""
        return self._done

    @contextmanager
    def counting(self) -> Iterator[None]:
        """End jobs in the library and count their photos: a summary made between the two would lack them."""
        self._counting += 1
        self.counted.clear()
        try:
            yield
        finally:
            self._counting -= 1
            if not self._counting:
                self.counted.set()

    def indexed(self, faces: int, people: Iterable[int] = ()) -> None:
        """Count a photo; `people` are those in it."""
        self._with_faces += faces > 0
        self._people.update(people)
        self._end(faces)

    def failed(self) -> None:
        self._failed += 1
        self._end(0)

    def _end(self, faces: int) -> None:
        if self._done == 0:
            self._started = self._now()
        self.last = None
        self._done += 1
        self._faces += faces
        self._ended.append(self._now())

    def burst(self, remaining: int, done_before: int | None = None) -> BurstProgress | None:
        """Return the current burst with `remaining` photos to go; None if there is none, which also ends it.

        `done_before` is `done` when the counting of `remaining` began: photos that ended since may be included, or not.
        """
        if remaining == 0:
            if self._done:
                self.last = BurstSummary(self._done - self._failed, self._with_faces, len(self._people), self._failed)
            self._reset()
            return None
        self.last = None
        now = self._now()
        while self._ended and self._ended[0] < now - WINDOW_S:
            self._ended.popleft()
        span = min(WINDOW_S, now - self._started)
        rate = len(self._ended) / span if span > 0.5 else 0.0
        # The true total is between two bounds; within them the shown total stays the same, so that it does not flicker.
        least = self._done if done_before is None else min(done_before, self._done)
        self._total = max(self._done, least + remaining, min(self._total, self._done + remaining))
        return BurstProgress(
            self._done, self._total, rate, remaining / rate if rate > 0 else None, self._faces, len(self._people), self._failed
        )
