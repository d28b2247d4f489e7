"""What was done since the program started."""

import pytest

from agent.domain.face import StageTimes
from agent.features.library.counters import RECENT, Counters


def test_means_are_of_the_last_images() -> None:
    tally = Counters()
    assert tally.means() is None
    tally.analysed(StageTimes(1000, 1000, 1000, 1000))
    for _ in range(RECENT):
        tally.analysed(StageTimes(10, 20, 0, 4))
    assert tally.means() == StageTimes(10, 20, 0, 4)
    assert tally.images == RECENT + 1


def test_a_histogram_counts_up_to_each_bound_and_loses_nothing() -> None:
    tally = Counters()
    for ms in (0.5, 1.0, 3.0, 60_000.0):
        tally.analysed(StageTimes(ms, 0, 0, 0))
    counts = dict(tally.histogram("decode"))
    assert (counts["0.001"], counts["0.0025"], counts["0.005"], counts["10.0"], counts["+Inf"]) == (2, 2, 3, 3, 4)
    assert list(counts.values()) == sorted(counts.values())
    assert tally.seconds["decode"] == pytest.approx(60.0045)


def test_errors_are_counted_by_code() -> None:
    tally = Counters()
    for code in ("image.corrupt", "image.empty", "image.corrupt"):
        tally.failed(code)
    assert tally.errors == {"image.corrupt": 2, "image.empty": 1}
