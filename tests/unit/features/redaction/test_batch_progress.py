"""A batch's progress, also for late subscribers."""

from datetime import UTC, datetime

from agent.features.redaction.batch_progress import BatchProgress, ProgressTracker
from agent.features.redaction.copy_records import ItemState, RedactionBatch


def batch(planned: int, done: int, failed: int = 0) -> RedactionBatch:
    counts = dict.fromkeys(ItemState, 0) | {ItemState.PLANNED: planned, ItemState.DONE: done, ItemState.FAILED: failed}
    return RedactionBatch("one", datetime(2026, 1, 1, tzinfo=UTC), None, counts)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_photos_tell_by_how_many_are_done() -> None:
    clock = Clock()
    paces = ProgressTracker(clock)
    assert paces.of(batch(10, 0)) == BatchProgress(0, None)
    paces.begun("one")
    for number in range(4):
        paces.ended("one", number, for_good=True)
    paces.ended("one", 4, for_good=False)  # to be tried again
    clock.now = 8.0
    assert paces.of(batch(6, 3, 1)) == BatchProgress(40, 12.0)
    assert paces.of(batch(0, 9, 1)) == BatchProgress(100, 0.0)
    assert paces.percent(1) is None


def test_a_clip_counts_by_its_parts_and_takes_no_less_than_its_own_pace_says() -> None:
    clock = Clock()
    paces = ProgressTracker(clock)
    paces.begun("one")
    for number in range(8):
        paces.ended("one", number, for_good=True)
    paces.heard("one", 9, 0)
    assert paces.long == 1
    clock.now = 100.0
    paces.heard("one", 9, 20)
    assert paces.percent(9) == 20
    assert paces.of(batch(2, 8)) == BatchProgress(82, 400.0)
    paces.ended("one", 9, for_good=True)
    assert (paces.long, paces.percent(9)) == (0, None)


def test_what_another_run_did_tells_no_pace() -> None:
    clock = Clock()
    paces = ProgressTracker(clock)
    paces.begun("one")
    clock.now = 50.0
    assert paces.of(batch(50, 50)) == BatchProgress(50, None)
    paces.ended("one", 1, for_good=True)
    assert paces.of(batch(49, 51)) == BatchProgress(51, 50.0 * 49)
    paces.idle()
    assert paces.of(batch(49, 51)).seconds_left is None
