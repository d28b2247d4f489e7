"""Alerts over each dialect: each is stored and told once, whatever restarts; silences; those of Prometheus."""

import errno
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from agent.app.server.alerts import backup_facts
from agent.domain.errors import NotFound, StoreDiskFull, StoreUnwritable
from agent.domain.severity import Severity
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.server_settings import AlertSettings
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.leases import Leases
from agent.infrastructure.store.migrator import upgrade
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.conditions import Readings
from agent.server.alerts.evaluator import AlertWatch
from agent.server.alerts.queries import KEPT, PROMETHEUS_SILENT, AlertQueries
from agent.server.alerts.records import AlertEvent, AlertReading, AlertSource, ReceivedAlert, SilenceReason
from agent.server.backups.repositories import LOCAL, OFFSITE
from agent.server.backups.runs import RunKind, RunQueries

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
MEI = "a" * 32
LOW = AlertKind.DISK_LOW


class Watched:
    """What a watch is told, and what it stores. `restart` begins a new one over the same database."""

    def __init__(self, database: Database) -> None:
        self.queries = AlertQueries(database)
        self.leases = Leases(database)
        self.settings = AlertSettings(hold_s=60)
        self.ways: tuple[str, ...] = ("email", "ntfy")
        self.time = NOW
        self.low = AlertReading(False, 50)
        self.restart()

    def anew(self) -> AlertWatch:
        def condition(settings: AlertSettings, now: datetime) -> Readings:
            return {LOW: self.low}

        return AlertWatch(self.queries, self.leases, [condition], lambda: self.settings, lambda: self.ways, lambda: self.time)

    def restart(self) -> None:
        self.watch = self.anew()

    def look(self, minutes: float = 0) -> bool:
        self.time += timedelta(minutes=minutes)
        return self.watch.look()

    def fire(self) -> None:
        self.low = AlertReading(True, 4)
        assert not self.look() and self.look(1)

    def events(self) -> list[str]:
        """Of all messages by e-mail, the oldest first."""
        ids = [each.id for each in [*self.queries.ended(None, 100), *self.queries.firing()]]
        found = [row for each in ids for row in self.queries.outbox.of(each) if row.way == "email"]
        return [row.event for row in sorted(found, key=lambda row: row.id)]


@pytest.fixture
def watched(database: Database) -> Iterator[Watched]:
    upgrade(database)
    yield Watched(database)
    database.close()


def test_an_alert_fires_once_is_told_once_for_each_way_and_ends(watched: Watched) -> None:
    watched.fire()
    watched.low = AlertReading(True, 3)
    assert not watched.look(1)
    [found] = watched.queries.firing()
    assert (found.name, found.severity, found.source, found.began_at) == (
        "disk-low",
        Severity.WARNING,
        AlertSource.SERVER,
        NOW + timedelta(minutes=1),
    )
    assert (found.number, found.seen_at) == (3, watched.time), "its number is that of the last look"
    assert [(each.way, each.attempts) for each in watched.queries.outbox.of(found.id)] == [("email", 0), ("ntfy", 0)]
    watched.low = AlertReading(False, 60)
    assert not watched.look(1) and watched.look(1) and not watched.look(1)
    assert watched.queries.firing() == []
    [ended] = watched.queries.ended(None, 10)
    assert ended.ended_at == NOW + timedelta(minutes=4) and ended.number == 3
    assert watched.events() == ["firing", "resolved"]


def test_a_condition_that_cannot_be_looked_at_is_logged_by_its_code(watched: Watched) -> None:
    def broken(settings: AlertSettings, now: datetime) -> Readings:
        raise OSError(errno.ENOSPC, "no room")

    watch = AlertWatch(watched.queries, watched.leases, [broken], lambda: watched.settings, tuple, lambda: watched.time)
    with capture_logs() as logs:
        watch.look()
    assert [each["code"] for each in logs if each["event"] == "alerts.not_read"] == [StoreDiskFull.code]


def test_a_restart_neither_forgets_nor_repeats(watched: Watched) -> None:
    watched.fire()
    for message in watched.queries.outbox.claim(watched.time, 10):
        watched.queries.outbox.sent(message.id, watched.time)
    watched.leases.release("alerts", watched.watch._me)
    watched.restart()
    assert not watched.look(1) and not watched.look(5)
    assert watched.events() == ["firing"] and watched.queries.outbox.claim(watched.time, 10) == []
    watched.low = AlertReading(False, 60)
    assert not watched.look(1) and watched.look(1)
    assert watched.events() == ["firing", "resolved"]


def test_only_one_process_looks_until_its_lease_ends(watched: Watched) -> None:
    other = watched.anew()
    watched.low = AlertReading(True, 4)
    watched.look()
    assert not other.look() and other.looked_at is None and watched.watch.looked_at == watched.time
    watched.leases.release("alerts", watched.watch._me)
    assert not other.look() and other.looked_at == watched.time
    assert not watched.look(5) and watched.watch.looked_at is None
    assert other.look(), "it has lasted long enough for the other one"
    assert watched.events() == ["firing"]


def test_an_end_replaces_what_could_not_be_sent_meanwhile(watched: Watched) -> None:
    watched.fire()
    [first] = watched.queries.outbox.claim(watched.time, 1)
    watched.queries.outbox.failed(first.id, "message.mail_failed", watched.time + timedelta(hours=1))
    watched.low = AlertReading(False, 60)
    watched.look(1), watched.look(1)
    due = watched.queries.outbox.claim(watched.time + timedelta(days=1), 10)
    assert [watched.queries.event_of(each.id) for each in due] == [AlertEvent.RESOLVED] * 2


def test_a_reminder_comes_after_a_day(watched: Watched) -> None:
    watched.fire()
    watched.look(24 * 60 - 1)
    assert watched.events() == ["firing"]
    watched.look(1), watched.look(1)
    assert watched.events() == ["firing", "reminder"]
    watched.settings = AlertSettings(hold_s=60, remind_hours=0)
    watched.look(48 * 60)
    assert watched.events() == ["firing", "reminder"]


def test_a_silence_holds_messages_back_until_it_ends_and_is_on_the_record(watched: Watched) -> None:
    with acting_as(MEI):
        made = watched.queries.silence("disk-low", SilenceReason.MAINTENANCE, NOW + timedelta(hours=2), NOW)
    assert (made.made_by, made.reason) == (MEI, SilenceReason.MAINTENANCE)
    watched.fire()
    assert watched.events() == [] and len(watched.queries.firing()) == 1
    with acting_as(MEI):
        watched.queries.unsilence(made.id, watched.time)
    watched.look(1)
    assert watched.events() == ["firing"], "what still fires is told when the silence ends"
    watched.queries.silence("disk-low", SilenceReason.KNOWN, watched.time + timedelta(hours=1), watched.time)
    watched.low = AlertReading(False, 60)
    watched.look(1), watched.look(1)
    watched.look(120)
    assert watched.events() == ["firing"] and watched.queries.silences(watched.time) == []
    record = [(each.action, each.actor, each.detail) for each in reversed(AuditQueries(watched.queries.database).audit_entries(limit=10))]
    assert record[:3] == [("alert_silenced", MEI, "disk-low"), ("alert_fired", "", "disk-low"), ("alert_unsilenced", MEI, "disk-low")]
    with pytest.raises(NotFound):
        watched.queries.unsilence(99, NOW)


def test_without_a_way_to_tell_it_is_told_once_there_is_one(watched: Watched) -> None:
    watched.ways = ()
    watched.fire()
    watched.look(60)
    watched.ways = ("email",)
    watched.look(1), watched.look(1)
    assert watched.events() == ["firing"]


def test_a_condition_that_fails_keeps_no_other_from_being_looked_at(watched: Watched) -> None:
    def fails(settings: AlertSettings, now: datetime) -> Readings:
        raise StoreUnwritable

    watched.watch._conditions = [fails, *watched.watch._conditions]
    watched.fire()
    assert watched.events() == ["firing"]


def test_that_the_database_was_away_is_told_when_it_is_back(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.look()
    holds: Callable[..., bool] = watched.leases.hold

    def away(*_: object) -> bool:
        raise StoreUnwritable

    monkeypatch.setattr(watched.leases, "hold", away)
    for _ in range(3):
        with pytest.raises(StoreUnwritable):
            watched.look(1)
    assert watched.watch.looked_at is None
    monkeypatch.setattr(watched.leases, "hold", holds)
    assert watched.look(1) and not watched.look(1)
    [found] = watched.queries.ended(None, 10)
    assert (found.name, found.number, found.began_at) == ("database-unreachable", 180, NOW + timedelta(minutes=1))
    assert watched.events() == ["resolved"]


def test_those_of_prometheus_are_stored_once_end_and_are_forgotten_in_silence(watched: Watched) -> None:
    def told(key: str, *, firing: bool = True) -> ReceivedAlert:
        return ReceivedAlert("burn-rate", key, Severity.CRITICAL, NOW, firing)

    watched.queries.receive([told("aa"), told("bb")], NOW)
    watched.queries.receive([told("aa"), told("cc", firing=False)], NOW + timedelta(hours=4))
    assert [(each.source, each.name) for each in watched.queries.firing()] == [(AlertSource.PROMETHEUS, "burn-rate")] * 2
    watched.queries.receive([told("aa", firing=False), told("aa", firing=False)], NOW + timedelta(hours=5))
    assert len(watched.queries.firing()) == 1
    watched.look(60 * 5)
    assert len(watched.queries.firing()) == 1 and watched.events() == [], "Alertmanager sends the messages about its own"
    watched.time = NOW + PROMETHEUS_SILENT
    watched.look(1)
    assert watched.queries.firing() == [] and len(watched.queries.ended(None, 10)) == 2
    watched.time += KEPT
    watched.look(1)
    assert watched.queries.ended(None, 10) == []


def test_a_queue_that_waits_and_failed_sign_ins_are_counted(watched: Watched) -> None:
    assert watched.queries.work().waiting == 0 and watched.queries.work().oldest is None
    for minutes in (30, 5, 1):
        AuditQueries(watched.queries.database).audit_add("sign_in_failed", MEI, 1, NOW - timedelta(minutes=minutes))
    AuditQueries(watched.queries.database).audit_add("refused", MEI, 9, NOW)
    assert watched.queries.failed_sign_ins(NOW - timedelta(minutes=10)) == 2


def test_a_trial_restore_that_failed_counts_in_every_repository_that_is_used(watched: Watched) -> None:
    runs = RunQueries(watched.queries.database)

    def drill(where: str, code: str) -> None:
        runs.end(runs.begin(RunKind.DRILL, where, NOW), NOW, code=code)

    def failed(**backup: object) -> bool:
        facts = backup_facts(watched.queries, runs, Settings.model_validate({"backup": backup}), NOW)
        return facts is not None and facts.drill_failed

    drill(LOCAL, "")
    drill(OFFSITE, "backup.damaged")
    assert failed(offsite="/mnt/elsewhere") and not failed(), "a place that is no longer used"
    drill(OFFSITE, "")
    assert not failed(offsite="/mnt/elsewhere")
    drill(LOCAL, "backup.damaged")
    assert failed()
