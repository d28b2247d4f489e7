"""When the next backup and the next drill are due, and whether the log has a gap."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agent.infrastructure.core.settings import Settings
from agent.server.backups.pgbackrest import BaseBackup, Repository
from agent.server.backups.runs import BackupRun, RunKind
from agent.server.backups.state import Archiving, BackupState, next_backup, next_drill

NOW = datetime(2026, 11, 29, 12, 0).astimezone()
RUN = BackupRun(1, RunKind.DATABASE, "local", NOW, NOW + timedelta(minutes=2), "", 10, 1, 0, 0.0)


def settings(**backup: object) -> Settings:
    return Settings.model_validate({"backup": backup})


def test_the_next_backup_is_at_its_time_of_day() -> None:
    assert next_backup(settings(), RUN, None, NOW) == (NOW + timedelta(days=1)).replace(hour=3)
    assert next_backup(settings(at="23:30"), RUN, None, NOW) == NOW.replace(hour=23, minute=30)
    assert next_backup(settings(at="12:30"), RUN, None, NOW) == (NOW + timedelta(days=1)).replace(minute=30)  # it was just made
    assert next_backup(settings(), None, None, NOW) == NOW
    soon = NOW + timedelta(minutes=10)
    assert next_backup(settings(), None, None, NOW, soon) == soon, "a new server's first"
    assert next_backup(settings(), None, None, soon + timedelta(hours=1), soon) == soon + timedelta(hours=1)


def test_a_failed_backup_is_tried_again_after_an_hour() -> None:
    failed = replace(RUN, code="backup.unreachable")
    assert next_backup(settings(), failed, None, NOW) == NOW + timedelta(minutes=2, hours=1)


@pytest.mark.parametrize("off", [{"at": ""}, {"enabled": False}])
def test_switched_off_none_is_due(off: dict[str, object]) -> None:
    assert next_backup(settings(**off), None, NOW, NOW) is None


def test_a_drill_follows_the_first_backup_and_then_every_week() -> None:
    assert next_drill(settings(), None, None, NOW) is None
    assert next_drill(settings(), RUN, None, NOW) == NOW + timedelta(days=1)
    drill = replace(RUN, kind=RunKind.DRILL, began_at=NOW + timedelta(days=1))
    assert next_drill(settings(), RUN, drill, NOW + timedelta(days=1)) == NOW + timedelta(days=8)
    assert next_drill(settings(), RUN, replace(drill, code="backup.drill_differs"), NOW + timedelta(days=1)) == NOW + timedelta(days=2)
    assert next_drill(settings(drill_days=0), RUN, None, NOW) is None


def test_given_up_log_makes_a_backup_due_at_once_and_a_failed_one_is_tried_again_after_an_hour() -> None:
    lost = NOW + timedelta(hours=1)
    assert next_backup(settings(), RUN, lost, NOW + timedelta(hours=2)) == NOW + timedelta(hours=2)
    later = replace(RUN, began_at=lost + timedelta(minutes=1), ended_at=lost + timedelta(minutes=2))
    assert next_backup(settings(), later, lost, NOW) == (NOW + timedelta(days=1)).replace(hour=3)
    assert next_backup(settings(), replace(later, code="backup.unreachable"), lost, NOW) == lost + timedelta(minutes=2, hours=1)


def test_a_backup_from_the_future_puts_none_off() -> None:
    """A clock that was far ahead for a moment must not stop backups and drills until then."""
    ahead = replace(RUN, began_at=NOW + timedelta(days=365), ended_at=NOW + timedelta(days=365))
    for run in (ahead, replace(ahead, code="backup.unreachable")):
        assert next_backup(settings(), run, None, NOW) == NOW
        assert next_drill(settings(), RUN, replace(run, kind=RunKind.DRILL), NOW) == NOW
    assert next_drill(settings(), ahead, None, NOW) == NOW


def base(name: str) -> BaseBackup:
    return BaseBackup("20261129-010000F", name, "full", NOW, 1, 1)


def state(given_up_at: datetime | None, *began: datetime) -> BackupState:
    """Repositories whose last good backup began then; the newest piece of the log arrived five hours after `NOW`."""
    names = ("local", "offsite")[: len(began)]
    held = tuple(Repository(name, "", (base(name),), "000000010000000000000009") for name in names)
    good = {(RunKind.DATABASE, name): replace(RUN, began_at=at, ended_at=at) for name, at in zip(names, began, strict=True)}
    archiving = Archiving(NOW + timedelta(hours=5), "000000010000000000000009", failing=False, waiting=0)
    return BackupState(None, held, {}, good, archiving, given_up_at, running=False, next_at=None, next_drill_at=None, runs=())


def test_after_log_was_given_up_the_last_backup_is_what_can_be_restored_for_certain() -> None:
    lost = NOW + timedelta(hours=1)
    assert not state(None, NOW).gap and state(None, NOW).restorable_until == NOW + timedelta(hours=5)
    assert state(lost, NOW).gap and state(lost, NOW).restorable_until == NOW
    assert replace(state(lost, NOW), good={}).restorable_until is None
    assert replace(state(None, NOW), archiving=None).restorable_until is None
    new = (Repository("local", "", (), "000000010000000000000009"),)
    assert replace(state(None, NOW), repositories=new, good={}).restorable_until is None, "the log alone restores nothing"


def test_a_new_folder_without_a_backup_is_not_credited_with_the_former_ones() -> None:
    new = (Repository("local", "", (), "000000010000000000000009"),)
    assert replace(state(None, NOW), repositories=new).restorable_until == NOW, "the former folder's backup, without what came after"
    away = (replace(new[0], code="backup.unreachable"),)
    assert replace(state(None, NOW), repositories=away).restorable_until == NOW + timedelta(hours=5), "its backups can't be counted"


def test_a_backup_closes_the_gap_of_its_repository() -> None:
    lost, after = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    assert not state(lost, after).gap
    both = state(lost, after, NOW)
    assert both.gap and both.restorable_until == NOW + timedelta(hours=5), "from the one that has a backup since"
