"""Times without a popup: put off by the user, and by the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from agent.app.quiet import Quiet
from agent.settings import Popup


class Watch:
    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).astimezone()

    def __call__(self) -> datetime:
        return self.now.astimezone(UTC)


def night(begin: str = "22:00", end: str = "07:00") -> Popup:
    return Popup(quiet_from=begin, quiet_until=end)


@pytest.mark.parametrize(
    ("now", "popup", "until"),
    [
        ("2026-06-10T21:59", night(), None),
        ("2026-06-10T22:00", night(), "2026-06-11T07:00"),
        ("2026-06-11T06:59", night(), "2026-06-11T07:00"),
        ("2026-06-11T07:00", night(), None),
        ("2026-06-10T13:30", night("13:00", "14:00"), "2026-06-10T14:00"),
        ("2026-06-10T12:30", night("13:00", "14:00"), None),
        ("2026-06-10T22:30", night("22:00", ""), None),
        ("2026-06-10T22:30", night("", "07:00"), None),
        ("2026-06-10T22:30", night("22:30", "22:30"), None),
    ],
)
def test_quiet_hours_follow_the_clock_on_the_wall_also_over_midnight(now: str, popup: Popup, until: str | None) -> None:
    end = Quiet(lambda: popup, Watch(now)).until()
    assert end == (None if until is None else datetime.fromisoformat(until).astimezone())


def test_put_off_it_ends_by_itself_or_when_somebody_says_so() -> None:
    watch = Watch("2026-06-10T12:00")
    quiet = Quiet(Popup, watch)
    assert not quiet.timed
    quiet.put_off(60)
    assert quiet.timed and quiet.until() == watch() + timedelta(hours=1)
    watch.now += timedelta(hours=1)
    assert quiet.until() is None
    quiet.put_off(60)
    quiet.put_off(None)
    assert quiet.until() is None and not quiet.timed


def test_the_longer_of_both_counts() -> None:
    watch = Watch("2026-06-10T23:00")
    quiet = Quiet(night, watch)
    quiet.put_off(60)
    assert quiet.timed and quiet.until() == datetime.fromisoformat("2026-06-11T07:00").astimezone()
    quiet.put_off(60 * 24)
    assert quiet.until() == watch() + timedelta(days=1)
