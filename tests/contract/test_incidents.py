"""Incidents over each dialect: found once, whatever restarts; and what members do with them is on the record."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from structlog.testing import capture_logs

from agent.domain.errors import NotFound
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store import audit_chain
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.schema import audit
from agent.server.incidents.incident_detector import IncidentWatch
from agent.server.incidents.incident_kinds import CloseReason, IncidentKind, IncidentState
from agent.server.incidents.queries import IncidentQueries
from agent.server.messages.queue import CLAIM

NOW = datetime(2026, 11, 30, 10, tzinfo=UTC)
MEI = "a" * 32


class Watched:
    """A record and its watch. `restart` begins a new one over the same database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.queries = IncidentQueries(database)
        self.settings = IncidentSettings(refusals=10)
        self.ways = ("email", "webhook")
        self.time = NOW
        self.witness = AuditAnchor(folder / "library.db")
        self.restart()

    def restart(self) -> None:
        self.watch = IncidentWatch(self.queries, self.witness, lambda: self.settings, lambda: self.ways, lambda: self.time)

    def refuse(self, count: int) -> None:
        with acting_as(MEI):
            self.queries.audit_add("refused", MEI, count, self.time)

    def kinds(self) -> list[IncidentKind]:
        return [each.kind for each in self.queries.incidents(before=None, limit=100, everything=True)]


@pytest.fixture
def watched(database: Database, tmp_path: Path) -> Iterator[Watched]:
    upgrade(database)
    yield Watched(database, tmp_path)
    database.close()


def test_what_was_before_the_rules_is_no_incident_and_what_comes_is_found_once(watched: Watched) -> None:
    watched.refuse(50)
    assert not watched.watch.look()
    watched.time += timedelta(hours=1)
    watched.refuse(9)
    assert not watched.watch.look()
    watched.restart()
    watched.refuse(1)
    with capture_logs() as logged:
        assert watched.watch.look() and not watched.watch.look()
    assert logged == [{"event": "incident.raised", "incident": 1, "kind": "many_refusals", "log_level": "warning"}]
    [found] = watched.queries.incidents(before=None, limit=10, everything=False)
    assert (found.kind, found.subject, found.number, found.state) == (IncidentKind.MANY_REFUSALS, MEI, 10, IncidentState.OPEN)
    assert [each.number for each in watched.queries.entries(found.evidence)] == [9, 1]
    assert watched.queries.audit_broken_at() is None and watched.queries.count() == 1


def test_a_watch_that_was_killed_before_it_stored_finds_the_same_again(watched: Watched) -> None:
    watched.watch.look()
    cursor = watched.queries.cursor()
    watched.refuse(12)
    assert watched.watch.look()
    watched.queries.store((), cursor, (), watched.time)  # as if what it found had not been stored with how far it read
    watched.restart()
    assert not watched.watch.look()
    assert watched.kinds() == [IncidentKind.MANY_REFUSALS]
    assert len(watched.queries.outbox.claim(watched.time, 10)) == 2, "one message in each way"


def test_new_limits_hold_at_once(watched: Watched) -> None:
    watched.watch.look()
    watched.settings = IncidentSettings(refusals=3)
    watched.refuse(3)
    assert watched.watch.look()


def test_a_record_that_was_altered_is_found_once(watched: Watched) -> None:
    for _ in range(4):
        watched.refuse(1)
    watched.watch.look()
    assert not watched.watch.verify()
    with watched.queries.database.write() as tx:
        tx.execute(delete(audit).where(audit.c.id == 3))
    assert not watched.watch.verify(), "within the hour"
    watched.time += timedelta(hours=1)
    assert watched.watch.verify()
    watched.restart()
    assert not watched.watch.verify(), "known"
    [found] = watched.queries.incidents(before=None, limit=10, everything=False)
    assert (found.kind, found.number) == (IncidentKind.RECORD_BROKEN, 3)
    with watched.queries.database.write() as tx:
        tx.execute(delete(audit).where(audit.c.id == 2))
    watched.time -= timedelta(days=400)
    assert watched.watch.verify(), "a clock that was ahead puts nothing off"


def test_an_old_entry_of_a_long_record_that_was_altered_is_found_within_a_day(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "LEAST_PART", 1)  # as if a hundred entries were a million
    for _ in range(100):
        watched.refuse(1)
    watched.watch.look()
    watched.witness.follow(watched.queries)
    for _ in range(8):
        assert not watched.watch.verify()
        watched.time += timedelta(hours=1)
    with watched.queries.database.write() as tx:
        tx.execute(update(audit).where(audit.c.id == 20).values(number=2))
    begun = watched.time
    while not watched.watch.verify():
        watched.refuse(1)
        watched.time += timedelta(hours=1)
        assert watched.time - begun < timedelta(days=1)
    assert [each.number for each in watched.queries.incidents(before=None, limit=10, everything=False)] == [20]


def test_entries_cut_off_the_end_are_found_by_how_far_it_was_read(watched: Watched) -> None:
    for _ in range(4):
        watched.refuse(1)
    watched.watch.look()
    with watched.queries.database.write() as tx:
        tx.execute(delete(audit).where(audit.c.id > 2))
    assert watched.watch.look() and not watched.watch.look()
    assert watched.kinds() == [IncidentKind.RECORD_BROKEN]


def test_what_members_do_with_an_incident_is_on_the_record(watched: Watched) -> None:
    watched.watch.look()
    watched.refuse(12)
    watched.watch.look()
    queries = watched.queries
    with acting_as(MEI):
        assert queries.see(1, NOW).seen_by == MEI
        queries.see(1, NOW)
        assert queries.count() == 0
        assert queries.close(1, CloseReason.EXPECTED, NOW).reason is CloseReason.EXPECTED
        assert queries.incidents(before=None, limit=10, everything=False) == []
        assert queries.outbox.claim(NOW + timedelta(days=1), 10) == [], "nobody is told of what is closed"
        assert queries.reopen(1, NOW).state is IncidentState.SEEN
        assert queries.acted(1, NOW).acted_by == MEI
        assert queries.acted(1, NOW, undone=True).undone_at == NOW
    told = [(each.action, each.actor, each.detail) for each in reversed(queries.audit_entries(limit=100)) if "incident" in each.action]
    mine = [
        ("incident_seen", MEI),
        ("incident_closed", MEI),
        ("incident_reopened", MEI),
        ("incident_step", MEI),
        ("incident_step_undone", MEI),
    ]
    assert told == [("incident_raised", "", "many_refusals"), *((action, who, "many_refusals 1") for action, who in mine)]
    with pytest.raises(NotFound):
        queries.see(2, NOW)


def test_a_message_waits_until_it_was_accepted_or_given_up(watched: Watched) -> None:
    watched.watch.look()
    watched.refuse(12)
    watched.watch.look()
    outbox = watched.queries.outbox
    first, second = outbox.claim(NOW, 10)
    outbox.sent(first.id, NOW)
    outbox.failed(second.id, "message.mail_failed", NOW + timedelta(minutes=1))
    assert outbox.claim(NOW, 10) == []
    assert outbox.failing(1) == 1 and outbox.failing(2) == 0
    [again] = outbox.claim(NOW + timedelta(minutes=1), 10)
    assert (again.id, again.attempts, again.about) == (second.id, 2, 1)
    outbox.failed(second.id, "message.mail_failed", None)
    assert outbox.claim(NOW + timedelta(days=9), 10) == [] and outbox.failing(1) == 0
    assert [(each.way, each.sent_at, each.attempts) for each in watched.queries.messages(1)] == [("email", NOW, 1), ("webhook", None, 2)]


def test_a_claimed_message_is_left_to_its_process_until_that_must_have_ended(watched: Watched) -> None:
    watched.watch.look()
    watched.refuse(12)
    watched.watch.look()
    outbox = watched.queries.outbox
    [first] = outbox.claim(NOW, 1)
    [second] = outbox.claim(NOW, 10)
    assert second.id != first.id and outbox.claim(NOW, 10) == []
    assert {each.id for each in outbox.claim(NOW + CLAIM, 10)} == {first.id, second.id}, "it was killed"
