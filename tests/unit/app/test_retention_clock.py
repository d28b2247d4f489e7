"""By a clock that leaps nothing is deleted at once, and by one that is right nothing is kept for ever."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.app.retention_clock import CLOCK_FILE, RetentionClock

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOUR, DAY, YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=365)


def test_a_clock_that_leaps_counts_once_it_has_stayed_so_for_a_day(tmp_path: Path) -> None:
    assert RetentionClock(tmp_path).until(NOW) == NOW, "the first look"
    assert RetentionClock(tmp_path).until(NOW + 6 * DAY) == NOW + 6 * DAY
    last = NOW + 6 * DAY
    for later in (timedelta(), HOUR, DAY - HOUR):
        assert RetentionClock(tmp_path).until(last + YEAR + later) == last
    assert RetentionClock(tmp_path).until(last + YEAR + DAY) == last + YEAR + DAY


def test_a_clock_that_is_right_again_counts_at_once_and_the_next_leap_waits_anew(tmp_path: Path) -> None:
    clock = RetentionClock(tmp_path)
    clock.until(NOW)
    assert clock.until(NOW + YEAR) == NOW
    assert clock.until(NOW + HOUR) == NOW + HOUR
    assert clock.until(NOW + YEAR + 2 * DAY) == NOW + HOUR
    assert clock.until(NOW + 10 * DAY) == NOW + HOUR, "less far ahead: it is another leap"
    assert clock.until(NOW + 11 * DAY) == NOW + 11 * DAY


def test_a_program_that_runs_rarely_deletes_at_the_second_time(tmp_path: Path) -> None:
    clock = RetentionClock(tmp_path)
    clock.until(NOW)
    assert clock.until(NOW + 30 * DAY) == NOW
    assert clock.until(NOW + 60 * DAY) == NOW + 60 * DAY


def test_a_damaged_file_or_a_folder_that_cant_be_written_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / CLOCK_FILE).write_bytes(b"\xff")
    assert RetentionClock(tmp_path).until(NOW) == NOW
    assert RetentionClock(tmp_path / "gone").until(NOW) == NOW
