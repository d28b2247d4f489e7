"""Whatever ends in whatever rhythm, the progress can be believed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.features.library.progress import WINDOW_S, BurstSummary, BurstTracker

STEPS = st.lists(st.tuples(st.floats(0, 40), st.sampled_from(["indexed", "failed", "ask"]), st.integers(0, 50)), max_size=60)


@settings(max_examples=60)
@given(steps=STEPS)
def test_done_never_passes_the_total_and_no_figure_is_negative(steps: list[tuple[float, str, int]]) -> None:
    now, done, faces, with_faces, failed = 0.0, 0, 0, 0, 0
    progress = BurstTracker(lambda: now)
    for seconds, what, number in steps:
        now += seconds
        if what == "indexed":
            progress.indexed(number)
            done, faces, with_faces = done + 1, faces + number, with_faces + (number > 0)
        elif what == "failed":
            progress.failed()
            done, failed = done + 1, failed + 1
        burst = progress.burst(number)
        if number == 0:
            assert burst is None
            if done:
                assert progress.last == BurstSummary(done - failed, with_faces, 0, failed)
            done = faces = with_faces = failed = 0
            continue
        assert progress.last is None
        assert burst is not None
        assert (burst.done, burst.total, burst.faces, burst.failed) == (done, done + number, faces, failed)
        assert burst.rate >= 0 and (burst.seconds_left is None or burst.seconds_left > 0)
        assert burst.failed <= burst.done <= burst.total


@settings(max_examples=30)
@given(each=st.floats(0.05, 5), count=st.integers(20, 80))
def test_a_steady_pace_is_told_as_it_is(each: float, count: int) -> None:
    now = 0.0
    progress = BurstTracker(lambda: now)
    for _ in range(count):
        now += each
        progress.indexed(1)
    burst = progress.burst(10)
    assert burst is not None and burst.seconds_left is not None
    span = min(WINDOW_S, each * (count - 1))
    # The window may cut off or take in one photo more than its seconds hold.
    assert abs(burst.rate * span - span / each) <= 1.001


def test_after_a_standstill_no_time_left_is_promised() -> None:
    now = 0.0
    progress = BurstTracker(lambda: now)
    progress.indexed(1)
    now = 3 * WINDOW_S
    burst = progress.burst(5)
    assert burst is not None and burst.rate == 0 and burst.seconds_left is None


@settings(max_examples=60)
@given(total=st.integers(1, 60), steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=40))
def test_the_total_stays_while_photos_end_during_the_counting(total: int, steps: list[tuple[int, int]]) -> None:
    progress = BurstTracker(lambda: 0.0)
    progress.burst(total)
    for before, after in steps:
        done = progress.done
        if done + before + after >= total:
            break
        for _ in range(before):  # they end before the rest is counted, the others after
            progress.indexed(1)
        remaining = total - progress.done
        for _ in range(after):
            progress.indexed(1)
        burst = progress.burst(remaining, done)
        assert burst is not None and (burst.done, burst.total) == (done + before + after, total)


def test_people_of_a_burst_are_counted_once_and_the_next_burst_begins_with_none() -> None:
    progress = BurstTracker(lambda: 0.0)
    progress.indexed(2, [7, 8])
    progress.indexed(1, [7])
    burst = progress.burst(5)
    assert burst is not None and (burst.people, burst.faces) == (2, 3)
    progress.burst(0)
    assert progress.last is not None and progress.last.people == 2
    progress.indexed(1)
    burst = progress.burst(1)
    assert burst is not None and burst.people == 0
