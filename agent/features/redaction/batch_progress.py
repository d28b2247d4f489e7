"""Tracks the progress of batches and their remaining time, even without a listener."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.features.redaction.copy_records import ItemState, RedactionBatch


@dataclass(frozen=True, slots=True)
class BatchProgress:
    percent: int
    seconds_left: float | None  # None until it can be estimated


@dataclass(slots=True)
class _Item:
    """A long-running item."""

    batch: str
    percent: int
    since: float


@dataclass(slots=True)
class _Batch:
    """A batch since this program started it."""

    since: float
    ended: int = 0


class ProgressTracker:
    """`monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._batches: dict[str, _Batch] = {}
        self._items: dict[int, _Item] = {}

    @property
    def long(self) -> int:
        """Return the number of running long items."""
        return len(self._items)

    def begun(self, batch: str) -> None:
        """Note that one of its copies started."""
        self._batches.setdefault(batch, _Batch(self._now()))

    def heard(self, batch: str, item_id: int, percent: int) -> None:
        """Note the progress of a long item."""
        if (known := self._items.get(item_id)) is None or percent == 0:
            self._items[item_id] = _Item(batch, percent, self._now())
        else:
            known.percent = percent

    def ended(self, batch: str, item_id: int, *, for_good: bool) -> None:
        """Note that it is finished, failed, or to be retried."""
        self._items.pop(item_id, None)
        if for_good and (known := self._batches.get(batch)) is not None:
            known.ended += 1

    def idle(self) -> None:
        """Note that nothing is left to do."""
        self._batches.clear()

    def percent(self, item_id: int) -> int | None:
        """Return the progress of a long item; None for others."""
        item = self._items.get(item_id)
        return None if item is None else item.percent

    def of(self, batch: RedactionBatch) -> BatchProgress:
        total, left = sum(batch.counts.values()), batch.counts[ItemState.PLANNED]
        if not left:
            return BatchProgress(100, 0.0)
        mine = [item for item in self._items.values() if item.batch == batch.uid]
        partly = sum(item.percent for item in mine) / 100
        return BatchProgress(
            min(99, round(100 * (total - left + partly) / total)), self._seconds_left(batch.uid, left - partly, partly, mine)
        )

    def _seconds_left(self, uid: str, left: float, partly: float, items: Iterable[_Item]) -> float | None:
        """Estimate from the pace of all, but not less than a long item needs at its own pace."""
        known, now = self._batches.get(uid), self._now()
        if known is None:
            return None
        done = known.ended + partly
        guesses = [(now - item.since) * (100 - item.percent) / item.percent for item in items if item.percent]
        if done > 0:
            guesses.append((now - known.since) * left / done)
        return max(guesses, default=None)
