"""How far batches of copies are, and how long they will take: known also while nobody listens."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agent.redaction.copy_records import ItemState, RedactionBatch


@dataclass(frozen=True, slots=True)
class BatchProgress:
    percent: int
    seconds_left: float | None  # None until there is a pace to go by


@dataclass(slots=True)
class _Item:
    """One that takes long."""

    batch: str
    percent: int
    since: float


@dataclass(slots=True)
class _Batch:
    """Since this program began with it."""

    since: float
    ended: int = 0


class Paces:
    """`monotonic` returns seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._now = monotonic
        self._batches: dict[str, _Batch] = {}
        self._items: dict[int, _Item] = {}

    @property
    def long(self) -> int:
        """How many are under way that take long."""
        return len(self._items)

    def begun(self, batch: str) -> None:
        """One of its copies."""
        self._batches.setdefault(batch, _Batch(self._now()))

    def heard(self, batch: str, item_id: int, percent: int) -> None:
        """It takes long, and is that far."""
        if (known := self._items.get(item_id)) is None or percent == 0:
            self._items[item_id] = _Item(batch, percent, self._now())
        else:
            known.percent = percent

    def ended(self, batch: str, item_id: int, *, for_good: bool) -> None:
        """It is made, failed, or to be tried again."""
        self._items.pop(item_id, None)
        if for_good and (known := self._batches.get(batch)) is not None:
            known.ended += 1

    def idle(self) -> None:
        """Nothing is left to do."""
        self._batches.clear()

    def percent(self, item_id: int) -> int | None:
        """How far one is that takes long; None of others."""
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
        """By the pace of all, but no less than one that takes long needs by its own."""
        known, now = self._batches.get(uid), self._now()
        if known is None:
            return None
        done = known.ended + partly
        guesses = [(now - item.since) * (100 - item.percent) / item.percent for item in items if item.percent]
        if done > 0:
            guesses.append((now - known.since) * left / done)
        return max(guesses, default=None)
