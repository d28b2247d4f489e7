"""The rules that watch the record find what they should, once, and no more."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.severity import Severity
from agent.infrastructure.core.actor import HERE
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.audit_chain import AuditEntry
from agent.server.incidents.incident_kinds import FirstStep, IncidentKind, first_step
from agent.server.incidents.rules import RULES, WATCHED

START = datetime(2026, 11, 30, 10, tzinfo=UTC)
MEI, BEN, ANA = "a" * 32, "b" * 32, "c" * 32
LIMITS = IncidentSettings(failed_sign_ins=3, failed_sign_ins_network=4, exports=100, refusals=5, work_from="", work_until="")


class Record:
    """A record that is written by hand."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    def add(self, action: str, *, after: timedelta = timedelta(), actor: str = MEI, subject: str | None = None, **more: object) -> int:
        values = {"number": 1, "detail": ""} | more
        entry = AuditEntry(len(self.entries) + 1, START + after, actor, action, subject, **values)  # type: ignore[arg-type]
        self.entries.append(entry)
        return entry.id

    def history(self, actions: Collection[str], subject: str | None, before: int) -> Sequence[AuditEntry]:
        found = [each for each in self.entries if each.action in actions and subject in (None, each.subject) and each.id < before]
        return found[::-1]

    def found(self, settings: IncidentSettings = LIMITS, since: int = 0) -> list[tuple[IncidentKind, str | None, int, tuple[int, ...]]]:
        entries = [each for each in self.entries if each.id > since and each.action in WATCHED]
        found = [each for rule in RULES for each in rule(entries, settings, self.history)]
        return [(each.kind, each.subject, each.number, each.evidence) for each in found]

    def keys(self, since: int = 0) -> set[str]:
        entries = [each for each in self.entries if each.id > since and each.action in WATCHED]
        return {each.key for rule in RULES for each in rule(entries, LIMITS, self.history)}


@pytest.fixture
def record() -> Record:
    return Record()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_failures_within_the_window_are_one_incident(record: Record) -> None:
    for at in (0, 8, 12):
        record.add("sign_in_failed", after=minutes(at), subject=MEI, detail=f"network {at}")
    assert record.found() == []
    record.add("sign_in_failed", after=minutes(15), subject=MEI, detail="network 15")
    assert record.found() == [(IncidentKind.FAILED_SIGN_INS, MEI, 3, (2, 3, 4))]
    record.add("sign_in_failed", after=minutes(16), subject=MEI, detail="network 16")
    assert len(record.keys()) == 1


def test_failures_for_many_names_from_one_network_concern_no_member(record: Record) -> None:
    for number in range(4):
        record.add("sign_in_failed", after=minutes(number), subject=None if number < 2 else ["", "", MEI, BEN][number], detail="0a1b")
    assert record.found() == [(IncidentKind.FAILED_SIGN_INS, None, 4, (1, 2, 3, 4))]
    assert first_step(IncidentKind.FAILED_SIGN_INS, None, "") is None


def test_guesses_too_slow_for_the_window_are_found_in_a_day(record: Record) -> None:
    slow = [record.add("sign_in_failed", after=minutes(60 * hour), subject=MEI, detail=f"network {hour}") for hour in range(14)]
    assert record.found() == []
    slow.append(record.add("sign_in_failed", after=minutes(60 * 14), subject=MEI, detail="network 14"))
    kind = IncidentKind.FAILED_SIGN_INS
    assert record.found(since=slow[-2]) == [(kind, MEI, 15, tuple(slow))]  # what a look after a restart reads
    slow.append(record.add("sign_in_failed", after=minutes(60 * 14 + 1), subject=MEI, detail="network 14"))
    assert record.keys(since=slow[-2]) == record.keys(since=slow[-3]), "one for each day"


def test_guesses_spread_over_names_and_hours_concern_the_network(record: Record) -> None:
    for number in range(20):
        record.add("sign_in_failed", after=minutes(20 * number), subject=f"{number:032}", detail="0a1b")
    assert [each[:3] for each in record.found()] == [(IncidentKind.FAILED_SIGN_INS, None, 20)]


def test_guesses_found_in_the_window_are_not_found_again_in_the_day(record: Record) -> None:
    for number in range(16):
        record.add("sign_in_failed", after=minutes(number), subject=MEI, detail=f"network {number}")
    assert len(record.keys()) == 1


def test_photos_are_counted_over_the_window_and_by_member(record: Record) -> None:
    record.add("originals_downloaded", subject=MEI, number=60)
    record.add("originals_downloaded", subject=BEN, actor=BEN, number=90, after=minutes(1))
    record.add("originals_downloaded", subject=MEI, number=39, after=minutes(9))
    assert record.found() == []
    record.add("originals_downloaded", subject=MEI, number=1, after=minutes(9.5))
    assert record.found() == [(IncidentKind.MASS_EXPORT, MEI, 100, (1, 3, 4))]


def test_what_goes_on_is_a_new_incident_in_the_next_hour(record: Record) -> None:
    for hour in range(3):
        record.add("originals_downloaded", number=500, after=timedelta(hours=hour))
    assert len(record.keys()) == 3


def test_rereading_entries_finds_no_other_keys(record: Record) -> None:
    for at in range(0, 130, 2):
        record.add("refused", subject=MEI, number=2, after=minutes(at))
        record.add("sign_in_failed", subject=BEN, actor=BEN, detail="0a1b", after=minutes(at))
    everything = record.keys()
    assert len(everything) == 9, "three hours of three rules"
    for since in range(0, len(record.entries), 7):
        assert record.keys(since) <= everything


def test_a_search_at_night_is_found_by_the_clock_here(record: Record) -> None:
    now = START.astimezone()
    day = IncidentSettings(work_from=f"{now - timedelta(hours=1):%H:%M}", work_until=f"{now + timedelta(hours=2):%H:%M}")
    record.add("face_searched", number=2)
    assert record.found(day) == []
    record.add("face_searched", number=3, after=timedelta(hours=3))
    record.add("face_searched", number=1, after=timedelta(hours=4))
    record.add("face_searched", actor="", after=timedelta(hours=4))
    assert record.found(day) == [(IncidentKind.NIGHT_SEARCH, MEI, 4, (2, 3))]
    assert record.found() == [], "no working hours are set"
    over_midnight = IncidentSettings(work_from=f"{now + timedelta(hours=2):%H:%M}", work_until=f"{now + timedelta(hours=1):%H:%M}")
    assert record.found(over_midnight) == []


def test_a_night_is_one_incident_across_midnight(record: Record) -> None:
    evening = START.astimezone().replace(hour=22, minute=0) - START
    for hours in (0, 1, 3, 6):
        record.add("face_searched", after=evening + timedelta(hours=hours))
    settings = IncidentSettings(work_from="07:00", work_until="20:00")
    assert [each[2] for each in record.found(settings)] == [4]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [("viewer", "administrator", True), ("viewer", "curator", True), ("curator", "editor", True), ("curator", "viewer", False)],
)
def test_a_raised_role_is_found_and_a_lowered_one_is_not(record: Record, before: str, after: str, found: bool) -> None:
    record.add("member_added", subject=BEN, detail=before)
    record.add("role_changed", subject=ANA, detail="auditor")
    number = record.add("role_changed", subject=BEN, detail=after)
    assert record.found(since=2) == ([(IncidentKind.RAISED_ROLE, BEN, 1, (number,))] if found else [])


def test_the_first_administrator_of_a_server_is_no_incident(record: Record) -> None:
    record.add("member_added", actor=HERE, subject=ANA, detail="administrator")
    assert record.found() == []
    record.add("member_added", actor=HERE, subject=BEN, detail="administrator")
    assert record.found() == [(IncidentKind.RAISED_ROLE, BEN, 1, (2,))]


def test_a_new_administrator_is_found_and_another_new_member_is_not(record: Record) -> None:
    record.add("member_added", subject=BEN, detail="editor")
    record.add("member_added", subject=ANA, detail="administrator")
    assert record.found() == [(IncidentKind.RAISED_ROLE, ANA, 1, (2,))]
    [found] = [each for rule in RULES for each in rule(record.entries, LIMITS, record.history)]
    assert found.severity is Severity.CRITICAL and first_step(found.kind, found.subject, found.about) is FirstStep.LOCK


@pytest.mark.parametrize(("about", "step"), [("session 12", FirstStep.END_SESSION), ("token 0a1b", FirstStep.REVOKE_TOKEN)])
def test_use_from_two_networks_within_minutes_is_found(record: Record, about: str, step: FirstStep) -> None:
    record.add("used_elsewhere", subject=MEI, detail=about, number=6)
    assert record.found() == []
    record.add("used_elsewhere", subject=MEI, detail=about, number=5)
    assert record.found() == [(IncidentKind.TWO_NETWORKS, MEI, 5, (2,))]
    assert first_step(IncidentKind.TWO_NETWORKS, MEI, about) is step
    assert record.found(LIMITS.model_copy(update={"networks_minutes": 0})) == []


def test_a_withdrawal_counts_the_copies_made_while_the_person_agreed(record: Record) -> None:
    record.add("publishing", number=7)
    record.add("consent_given", subject=ANA, detail="publish")
    record.add("consent_given", subject=BEN, detail="recognise")
    record.add("publishing", number=30)
    record.add("publishing", number=12)
    record.add("consent_withdrawn", subject=BEN, detail="publish")
    record.add("consent_withdrawn", subject=ANA, detail="recognise")
    assert record.found() == []
    record.add("consent_withdrawn", subject=ANA, detail="publish")
    assert record.found(since=7) == [(IncidentKind.WITHDRAWN_AFTER_PUBLISHING, ANA, 42, (8, 5, 4))]
