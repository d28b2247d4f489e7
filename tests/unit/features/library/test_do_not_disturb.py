"""Times without a popup: put off by the user, and by the clock."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import StoreDiskFull
from agent.features.library.do_not_disturb import DoNotDisturb
from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.settings import PopupSettings, Settings
from tests.support.service_environment import environment


class Shelf(LibraryQueries):
    """Keeps notes as the library does."""

    def __init__(self) -> None:
        self.kept: dict[str, int] = {}
        self.error: StoreDiskFull | None = None

    def note(self, name: str) -> int | None:
        return self.kept.get(name)

    def set_flags(self, notes: Mapping[str, int | None]) -> None:
        if self.error is not None:
            raise self.error
        self.kept = {name: value for name, value in (self.kept | dict(notes)).items() if value is not None}


class Watch:
    def __init__(self, text: str) -> None:
        self.now = datetime.fromisoformat(text).astimezone()

    def __call__(self) -> datetime:
        return self.now.astimezone(UTC)


def night(begin: str = "22:00", end: str = "07:00") -> PopupSettings:
    return PopupSettings(quiet_from=begin, quiet_until=end)


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
def test_quiet_hours_follow_the_clock_on_the_wall_also_over_midnight(now: str, popup: PopupSettings, until: str | None) -> None:
    end = DoNotDisturb(environment(Settings(popup=popup), clock=Watch(now)), Shelf()).until()
    assert end == (None if until is None else datetime.fromisoformat(until).astimezone())


async def test_put_off_it_ends_by_itself_or_when_somebody_says_so() -> None:
    watch = Watch("2026-06-10T12:00")
    quiet = DoNotDisturb(environment(clock=watch), Shelf())
    assert not quiet.timed
    await quiet.put_off(60)
    assert quiet.timed and quiet.until() == watch() + timedelta(hours=1)
    watch.now += timedelta(hours=1)
    assert quiet.until() is None
    await quiet.put_off(60)
    await quiet.put_off(None)
    assert quiet.until() is None and not quiet.timed


async def test_the_longer_of_both_counts() -> None:
    watch = Watch("2026-06-10T23:00")
    quiet = DoNotDisturb(environment(Settings(popup=night()), clock=watch), Shelf())
    await quiet.put_off(60)
    assert quiet.timed and quiet.until() == datetime.fromisoformat("2026-06-11T07:00").astimezone()
    await quiet.put_off(60 * 24)
    assert quiet.until() == watch() + timedelta(days=1)


def again(watch: Watch, shelf: Shelf) -> DoNotDisturb:
    """After a restart."""
    quiet = DoNotDisturb(environment(clock=watch), shelf)
    quiet.remember()
    return quiet


async def test_what_was_asked_for_holds_after_a_restart_and_ends_when_it_was_said_to() -> None:
    watch, shelf = Watch("2026-06-10T12:00"), Shelf()
    until = watch() + timedelta(hours=3)
    await again(watch, shelf).put_off(180)
    watch.now += timedelta(hours=2)
    assert again(watch, shelf).until() == until
    watch.now += timedelta(hours=1)
    assert again(watch, shelf).until() is None


async def test_what_was_ended_stays_so_after_a_restart() -> None:
    watch, shelf = Watch("2026-06-10T12:00"), Shelf()
    quiet = again(watch, shelf)
    await quiet.put_off(180)
    await quiet.put_off(None)
    assert shelf.kept == {} and again(watch, shelf).until() is None


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_clock_that_goes_back_never_makes_it_longer_than_was_asked_for(restarted: bool) -> None:
    watch, shelf = Watch("2026-06-10T12:00"), Shelf()
    quiet = again(watch, shelf)
    await quiet.put_off(60)
    watch.now -= timedelta(days=200)
    quiet = again(watch, shelf) if restarted else quiet
    until = watch() + timedelta(hours=1)
    assert quiet.until() == until
    watch.now += timedelta(minutes=59)
    assert quiet.until() == until, "and it comes nearer"
    watch.now += timedelta(minutes=1)
    assert quiet.until() is None


async def test_what_could_not_be_kept_does_not_hold() -> None:
    watch, shelf = Watch("2026-06-10T12:00"), Shelf()
    quiet = again(watch, shelf)
    shelf.error = StoreDiskFull()
    with pytest.raises(StoreDiskFull):
        await quiet.put_off(60)
    assert quiet.until() is None
