"""When an alert fires and ends."""

from datetime import UTC, datetime, timedelta

from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.evaluator import Hysteresis
from agent.server.alerts.records import AlertReading

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
HOLD = timedelta(minutes=5)
LOW, FULL, CERTIFICATE = AlertKind.DISK_LOW, AlertKind.DISK_FULL, AlertKind.CERTIFICATE_EXPIRING


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def look(steady: Hysteresis, active: bool, firing: set[AlertKind], minutes: float, kind: AlertKind = LOW) -> tuple[set[AlertKind], ...]:
    return steady.changes({kind: AlertReading(active, 1)}, firing, HOLD, at(minutes))


def test_a_condition_fires_once_it_has_lasted_and_ends_once_it_has_been_over() -> None:
    steady = Hysteresis()
    assert look(steady, True, set(), 0) == (set(), set())
    assert look(steady, True, set(), 4.9) == (set(), set())
    assert look(steady, True, set(), 5) == ({LOW}, set())
    assert look(steady, False, {LOW}, 6) == (set(), set())
    assert look(steady, False, {LOW}, 11) == (set(), {LOW})


def test_one_that_comes_and_goes_changes_nothing() -> None:
    steady = Hysteresis()
    for minute in range(0, 60, 2):
        assert look(steady, minute % 4 == 0, set(), minute) == (set(), set())
    for minute in range(60, 120, 2):
        assert look(steady, minute % 4 != 0, {LOW}, minute) == (set(), set())


def test_a_clock_that_goes_back_puts_no_alert_off() -> None:
    steady = Hysteresis()
    assert look(steady, True, set(), 500_000) == (set(), set())
    assert look(steady, True, set(), 0) == (set(), set())
    assert look(steady, True, set(), 5) == ({LOW}, set())


def test_urgent_ones_take_a_fifth_and_facts_none() -> None:
    steady = Hysteresis()
    assert look(steady, True, set(), 0, FULL) == (set(), set())
    assert look(steady, True, set(), 1, FULL) == ({FULL}, set())
    assert look(steady, True, set(), 0, CERTIFICATE) == ({CERTIFICATE}, set())


def test_what_could_not_be_looked_at_stays_as_it_is_and_begins_anew() -> None:
    steady = Hysteresis()
    look(steady, True, set(), 0)
    assert steady.changes({}, {FULL}, HOLD, at(4)) == (set(), set())
    assert look(steady, True, set(), 6) == (set(), set()), "it lasts since 6, as far as is known"
    assert look(steady, True, set(), 11) == ({LOW}, set())
