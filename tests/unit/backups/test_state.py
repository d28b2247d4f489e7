"""When the next backup and the next drill are due, and whether the log has a gap."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.backups.pgbackrest import Repository
from agent.backups.runs import BackupRun, RunKind
from agent.backups.state import Archiving, BackupState, next_backup, next_drill
from agent.core.settings import Settings

NOW = datetime(2026, 11, 29, 12, 0).astimezone()
RUN = BackupRun(1, RunKind.DATABASE, "local", NOW, NOW + timedelta(minutes=2), "", 10, 1, 0, 0.0)


def settings(**backup: object) -> Settings:
    return Settings.model_validate({"backup": backup})


def test_the_next_backup_is_at_its_time_of_day() -> None:
    assert next_backup(settings(), RUN, NOW) == (NOW + timedelta(days=1)).replace(hour=3)
    assert next_backup(settings(at="23:30"), RUN, NOW) == NOW.replace(hour=23, minute=30)
    assert next_backup(settings(at="12:30"), RUN, NOW) == (NOW + timedelta(days=1)).replace(minute=30)  # it was just made
    assert next_backup(settings(), None, NOW) == NOW


def test_a_failed_backup_is_tried_again_after_an_hour() -> None:
    failed = replace(RUN, code="backup.unreachable")
    assert next_backup(settings(), failed, NOW) == NOW + timedelta(minutes=2, hours=1)


@pytest.mark.parametrize("off", [{"at": ""}, {"enabled": False}])
def test_switched_off_none_is_due(off: dict[str, object]) -> None:
    assert next_backup(settings(**off), None, NOW) is None


def test_a_drill_follows_the_first_backup_and_then_every_week() -> None:
    assert next_drill(settings(), None, None) is None
    assert next_drill(settings(), RUN, None) == NOW + timedelta(days=1)
    drill = replace(RUN, kind=RunKind.DRILL, began_at=NOW + timedelta(days=1))
    assert next_drill(settings(), RUN, drill) == NOW + timedelta(days=8)
    assert next_drill(settings(), RUN, replace(drill, code="backup.drill_differs")) == NOW + timedelta(days=2)
    assert next_drill(settings(drill_days=0), RUN, None) is None


@pytest.mark.parametrize(("believed", "gap"), [("00000001000000000000000A", True), ("000000010000000000000009", False), ("", False)])
def test_a_piece_that_postgresql_gave_up_is_a_gap(believed: str, gap: bool) -> None:
    held = Repository("local", "", (), "000000010000000000000009")
    archiving = Archiving(datetime.now(UTC), believed, failing=False, waiting=0)
    state = BackupState(None, (held,), {}, {}, archiving, running=False, next_at=None, next_drill_at=None, runs=())
    assert state.gap is gap


def test_beside_a_gap_the_last_backup_is_what_can_be_restored_for_certain() -> None:
    held = Repository("local", "", (), "000000010000000000000009")
    lost, kept = (Archiving(NOW + timedelta(hours=5), f"00000001000000000000000{piece}", failing=False, waiting=0) for piece in "A9")
    state = BackupState(
        None, (held,), {}, {(RunKind.DATABASE, "local"): RUN}, lost, running=False, next_at=None, next_drill_at=None, runs=()
    )
    assert state.restorable_until == RUN.ended_at
    assert replace(state, good={}).restorable_until is None
    assert replace(state, archiving=kept).restorable_until == NOW + timedelta(hours=5)
    assert replace(state, archiving=None).restorable_until is None
