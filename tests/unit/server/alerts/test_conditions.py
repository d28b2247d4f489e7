"""The conditions, each at its bound."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.infrastructure.core.server_settings import AlertSettings
from agent.server.alerts import conditions
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.conditions import BackupFacts, Work

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
SETTINGS = AlertSettings()


def active(condition: conditions.Condition, settings: AlertSettings = SETTINGS) -> dict[str, int]:
    """The kinds whose condition holds, with their numbers."""
    return {str(kind): each.number for kind, each in condition(settings, NOW).items() if each.active}


@pytest.mark.parametrize(
    ("free", "found"), [((50.0, 10.0), {}), ((50.0, 9.9), {"disk-low": 9}), ((2.9, 50.0), {"disk-low": 2, "disk-full": 2})]
)
def test_the_fullest_disk_counts(tmp_path: Path, free: tuple[float, ...], found: dict[str, int]) -> None:
    folders = [tmp_path / str(number) for number in range(len(free))]
    for folder in folders:
        folder.mkdir()
    percent = dict(zip(folders, free, strict=True))
    assert active(conditions.disks(lambda: [*folders, tmp_path / "not there yet"], percent.__getitem__)) == found


def test_a_real_disk_is_measured(tmp_path: Path) -> None:
    [low, full] = conditions.disks(lambda: [tmp_path])(AlertSettings(disk_low_percent=0), NOW).values()
    assert not low.active and 0 <= low.number <= 100 and low.number == full.number


@pytest.mark.parametrize(
    ("left", "found"),
    [
        (timedelta(days=14), {}),
        (timedelta(days=13, hours=23), {"certificate-expiring": 13}),
        (timedelta(0), {"certificate-expired": 0}),
        (timedelta(days=-3), {"certificate-expired": 3}),
    ],
)
def test_a_certificate_expires(left: timedelta, found: dict[str, int]) -> None:
    assert active(conditions.certificate(lambda: NOW + left)) == found


def test_a_queue_is_stuck_if_photos_wait_and_none_was_finished() -> None:
    old, new = NOW - timedelta(minutes=31), NOW - timedelta(minutes=1)
    for work, paused, found in (
        (Work(0, None, None), False, {}),
        (Work(3, old, None), False, {"queue-stuck": 3}),
        (Work(3, old, old), False, {"queue-stuck": 3}),
        (Work(3, old, new), False, {}),
        (Work(3, new, old), False, {}),
        (Work(3, old, old), True, {}),
    ):
        assert active(conditions.queue(lambda w=work: w, lambda p=paused: p)) == found  # type: ignore[misc]


@pytest.mark.parametrize(
    ("alive", "expected", "waiting", "missing"), [(2, 2, 9, 0), (1, 2, 0, 1), (0, 0, 0, 0), (0, 0, 5, 1), (1, 0, 5, 0), (5, 2, 0, 0)]
)
def test_workers_are_missing(alive: int, expected: int, waiting: int, missing: int) -> None:
    found = active(conditions.workers(lambda: alive, expected, lambda: Work(waiting, None, None)))
    assert found == ({"workers-missing": missing} if missing else {})


def test_memory_sign_ins_sources_and_messages() -> None:
    assert active(conditions.memory(lambda: 92.0)) == {}
    assert active(conditions.memory(lambda: 92.5)) == {"memory-high": 92}
    asked: list[datetime] = []

    def failed(since: datetime) -> int:
        asked.append(since)
        return 100

    assert active(conditions.sign_ins(failed)) == {"sign-in-refusals-high": 100}
    assert asked == [NOW - timedelta(minutes=10)]
    assert active(conditions.sources(lambda: 2)) == {"source-unreachable": 2}
    assert active(conditions.messages([lambda: 1, lambda: 2])) == {"messages-failing": 3}
    assert active(conditions.messages([lambda: 0])) == {}


def test_the_memory_of_this_computer_can_be_measured() -> None:
    assert 0 < conditions.memory_used_percent() <= 100


def test_backups_by_age_and_trial() -> None:
    def hours(count: int) -> datetime:
        return NOW - timedelta(hours=count)

    assert active(conditions.backups(lambda: None)) == {}
    assert conditions.backups(lambda: None)(SETTINGS, NOW) == {}
    fresh = BackupFacts(hours(1000), hours(29), True, hours(49), drill_failed=False)
    assert active(conditions.backups(lambda: fresh)) == {}
    old = BackupFacts(hours(1000), hours(31), True, hours(51), drill_failed=True)
    assert active(conditions.backups(lambda: old)) == {"backup-too-old": 31, "backup-drill-failed": 1, "offsite-copy-failing": 51}
    none = BackupFacts(hours(40), None, False, None, drill_failed=False)
    assert active(conditions.backups(lambda: none)) == {"backup-too-old": 40}
    ahead = BackupFacts(hours(55), hours(-9000), True, hours(-9000), drill_failed=False)
    told = active(conditions.backups(lambda: ahead))
    assert told == {"backup-too-old": 55, "offsite-copy-failing": 55}, "made by a clock that was wrong, nobody knows when"
    assert active(conditions.backups(lambda: old), AlertSettings(backup_hours=0, offsite_hours=0)) == {"backup-drill-failed": 1}


def test_every_kind_has_a_condition_or_is_stored_by_the_watch(tmp_path: Path) -> None:
    facts = BackupFacts(NOW, NOW, True, NOW, drill_failed=False)

    def work() -> Work:
        return Work(0, None, None)

    everything = [
        conditions.disks(lambda: [tmp_path]),
        conditions.certificate(lambda: NOW),
        conditions.queue(work, lambda: False),
        conditions.workers(lambda: 1, 1, work),
        conditions.memory(),
        conditions.sign_ins(lambda _: 0),
        conditions.sources(lambda: 0),
        conditions.messages([]),
        conditions.backups(lambda: facts),
    ]
    found = {kind for each in everything for kind in each(SETTINGS, NOW)}
    assert set(AlertKind) - found == {AlertKind.DATABASE_UNREACHABLE}
