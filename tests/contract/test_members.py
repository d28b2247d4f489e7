"""Members, their invitations, sessions and tokens over each dialect, and what the audit log says of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event

from agent.domain.errors import LastAdministrator, MemberNameTaken, NotFound
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.interfaces.web.access import Role
from agent.server.accounts.queries import MOST_SESSIONS, NO_SECOND_FACTOR, AccountQueries
from agent.server.accounts.records import Member, SessionRecord, TokenRecord

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MEI, BEN, NOBODY = "a" * 32, "b" * 32, "f" * 32


@pytest.fixture
def accounts(database: Database) -> Iterator[AccountQueries]:
    upgrade(database)
    yield AccountQueries(database)
    database.close()


def member(member_id: str, name: str, role: Role = Role.VIEWER, password: str | None = "hash") -> Member:
    return Member(member_id, name, name.title(), role, NOW, None, password, None, None, None, None)


@pytest.fixture
def two(accounts: AccountQueries) -> AccountQueries:
    """Mei, an administrator, and Ben, a viewer."""
    accounts.add(member(MEI, "mei", Role.ADMINISTRATOR))
    accounts.add(member(BEN, "ben"))
    return accounts


def session(accounts: AccountQueries, member_id: str, word: str, at: datetime = NOW) -> int:
    record = SessionRecord(0, accounts.member(member_id), f"key {word}", f"ticket {word}", f"cookie {word}", "Firefox", "10.0.0.1", at, at)
    number = accounts.open_session(record)
    assert number is not None
    return number


def token(accounts: AccountQueries, member_id: str, word: str) -> TokenRecord:
    made = TokenRecord(word * 32, accounts.member(member_id), f"token {word}", ("photos.read",), NOW, NOW + HOUR, None)
    accounts.add_token(made, f"sha {word}")
    return made


def test_tokens_that_ended_a_month_before_go_when_their_member_makes_one(two: AccountQueries) -> None:
    old, _ = token(two, MEI, "1"), token(two, BEN, "2")
    late = replace(old, id="3" * 32, name="late", expires_at=NOW + timedelta(days=31))
    two.add_token(late, "sha 3")
    at = NOW + HOUR + timedelta(days=30, seconds=1)

    two.add_token(replace(late, id="4" * 32, name="new", created_at=at, expires_at=at + HOUR), "sha 4")

    assert [each.name for each in two.tokens(MEI)] == ["new", "late"]
    assert [each.name for each in two.tokens(BEN)] == ["token 2"]


def recorded(accounts: AccountQueries) -> list[tuple[Any, ...]]:
    """Action, subject, actor and detail of the audit log, oldest first."""
    log = AuditQueries(accounts.database)
    assert log.audit_broken_at() is None
    return [(each.action, each.subject, each.actor, each.detail) for each in reversed(log.audit_entries(limit=100))]


def test_members_are_listed_by_name_and_found_by_it(two: AccountQueries) -> None:
    assert [(each.member.name, each.invited_until, each.seen_at) for each in two.members()] == [("ben", None, None), ("mei", None, None)]
    assert two.by_name("mei") == two.member(MEI) == member(MEI, "mei", Role.ADMINISTRATOR)
    assert two.by_name("Mei") is None and two.by_name("") is None
    with pytest.raises(NotFound):
        two.member(NOBODY)


def test_who_is_met_in_the_record_is_found_without_reading_all_of_it(two: AccountQueries) -> None:
    with acting_as(BEN):
        AuditQueries(two.database).audit_add("searched", None, 1, NOW)
    engine, is_server = two.database._engine, two.database._engine.dialect.name == "postgresql"
    if is_server:  # it decides by the number of rows
        columns = "id, at, action, subject, number, digest, actor"
        with two.database.write() as tx:
            tx.exec_driver_sql(
                f"INSERT INTO audit ({columns}) SELECT n, 0, 'viewed', md5(n::text), 1, '', '' FROM generate_series(10, 20000) n"
            )
            tx.exec_driver_sql("ANALYZE audit, member")
    plans = list[str]()

    def explain(connection: Connection, cursor: object, statement: str, parameters: Any, context: object, many: bool) -> None:
        if "FROM member" in statement:
            raw = connection.connection.cursor()
            raw.execute(f"{'EXPLAIN' if is_server else 'EXPLAIN QUERY PLAN'} {statement}", parameters)
            plans.extend(str(row[-1]) for row in raw.fetchall())
            raw.close()

    event.listen(engine, "before_cursor_execute", explain)
    assert two.recorded() == {MEI, BEN}
    event.remove(engine, "before_cursor_execute", explain)
    plan = "\n".join(plans)
    for column in ("actor", "subject"):
        assert (f"Index Cond: ({column} =" if is_server else f"({column}=?)") in plan.replace("((", "("), plan


def test_a_name_is_taken_once(two: AccountQueries) -> None:
    with pytest.raises(MemberNameTaken):
        two.add(member(NOBODY, "mei"))
    assert len(two.members()) == 2 and len(recorded(two)) == 2


def test_the_last_administrator_who_can_sign_in_stays_one(two: AccountQueries) -> None:
    two.add(member(NOBODY, "invited", Role.ADMINISTRATOR, password=None))
    for values in ({"role": "viewer"}, {"locked_at": NOW}):
        with pytest.raises(LastAdministrator):
            two.change(MEI, values, NOW)
    with pytest.raises(LastAdministrator):
        two.remove(MEI, NOW)
    assert two.member(MEI).role is Role.ADMINISTRATOR and two.member(MEI).locked_at is None
    assert [each[0] for each in recorded(two)] == ["member_added"] * 3, "what was refused is not recorded"
    two.change(BEN, {"role": "administrator"}, NOW)
    assert two.change(MEI, {"role": "editor"}, NOW).role is Role.EDITOR
    with pytest.raises(LastAdministrator):
        two.remove(BEN, NOW)


def test_an_administrator_who_never_signed_in_may_go(accounts: AccountQueries) -> None:
    accounts.add(member(MEI, "mei", Role.ADMINISTRATOR, password=None))
    accounts.remove(MEI, NOW)
    assert accounts.members() == ()


def test_changes_are_recorded_with_their_actor(two: AccountQueries) -> None:
    with acting_as(MEI):
        two.change(BEN, {"role": "curator"}, NOW)
        two.change(BEN, {"display_name": "Benjamin"}, NOW)
        two.change(BEN, {"locked_at": NOW}, NOW)
        two.change(BEN, {"locked_at": None}, NOW)
        two.remove(BEN, NOW)
    assert recorded(two)[2:] == [
        ("role_changed", BEN, MEI, "curator"),
        ("member_renamed", BEN, MEI, ""),
        ("member_locked", BEN, MEI, ""),
        ("member_unlocked", BEN, MEI, ""),
        ("member_removed", BEN, MEI, ""),
    ]


def test_a_locked_member_loses_sessions_and_invitation_but_not_tokens_which_wait(two: AccountQueries) -> None:
    session(two, BEN, "b")
    session(two, MEI, "m")
    two.invite(BEN, "sha", NOW + HOUR, NOW)
    made = token(two, BEN, "b")
    two.change(BEN, {"locked_at": NOW}, NOW)
    assert two.session_by_key("key b") is None and two.session_by_key("key m") is not None
    assert two.invited("sha", NOW) is None
    found = two.token("sha b")
    assert found is not None and found.id == made.id and found.member.locked_at == NOW


def test_a_removed_member_leaves_nothing(two: AccountQueries) -> None:
    session(two, BEN, "b")
    two.invite(BEN, "sha", NOW + HOUR, NOW)
    token(two, BEN, "b")
    two.begin_second_factor(BEN, b"secret")
    two.confirm_second_factor(BEN, 7, ["one", "two"], NOW)
    two.remove(BEN, NOW)
    assert two.session_by_key("key b") is None and two.invited("sha", NOW) is None and two.token("sha b") is None
    assert not two.use_recovery_code(BEN, "one")
    with pytest.raises(NotFound):
        two.invite(BEN, "sha", NOW + HOUR, NOW)


def test_an_invitation_works_once_and_for_its_time(two: AccountQueries) -> None:
    two.invite(BEN, "first", NOW + HOUR, NOW)
    two.invite(BEN, "second", NOW + HOUR, NOW)
    assert two.invited("first", NOW) is None, "a newer one replaced it"
    assert two.members()[0].invited_until == NOW + HOUR
    assert two.invited("second", NOW + HOUR) is None and two.accept("second", "new", NOW + HOUR) is None
    session(two, BEN, "b")
    accepted = two.accept("second", "new", NOW)
    assert accepted is not None and (accepted.id, accepted.password_hash, accepted.password_changed_at) == (BEN, "new", NOW)
    assert two.session_by_key("key b") is None
    assert two.accept("second", "newer", NOW) is None and two.member(BEN).password_hash == "new"
    assert recorded(two)[-1] == ("invitation_accepted", BEN, BEN, "")


def test_a_password_is_changed_only_if_it_is_still_the_one_that_was_shown(two: AccountQueries) -> None:
    assert two.set_password(BEN, "hash", "new", NOW)
    assert not two.set_password(BEN, "hash", "other", NOW)
    two.rehash(BEN, "hash", "late")
    assert two.member(BEN).password_hash == "new"
    two.rehash(BEN, "new", "stronger")
    assert (two.member(BEN).password_hash, two.member(BEN).password_changed_at) == ("stronger", NOW)
    assert [each[0] for each in recorded(two)][2:] == ["password_changed"]


def test_a_session_is_found_by_key_and_by_ticket_with_its_member(two: AccountQueries) -> None:
    number = session(two, BEN, "b")
    found = two.session_by_key("key b")
    assert found is not None and found == two.session_by_ticket("ticket b")
    assert (found.id, found.member, found.cookie_sha256, found.browser, found.address) == (
        number,
        two.member(BEN),
        "cookie b",
        "Firefox",
        "10.0.0.1",
    )
    assert two.session_by_key("ticket b") is None and two.session_by_ticket("key b") is None and two.session_by_key("cookie b") is None
    two.seen({number: NOW + HOUR})
    assert [(each.seen_at, each.opened_at) for each in two.sessions(BEN)] == [(NOW + HOUR, NOW)]
    assert [each.seen_at for each in two.members()] == [NOW + HOUR, None]
    assert recorded(two)[-1] == ("signed_in", BEN, BEN, "")


def test_sessions_end_by_number_or_all_but_one_and_only_ones_own(two: AccountQueries) -> None:
    one, other, third = (session(two, BEN, word) for word in "xyz")
    hers = session(two, MEI, "m")
    assert two.end_sessions(BEN, NOW, number=hers) == ()
    assert two.end_sessions(BEN, NOW, number=one) == (one,)
    assert two.end_sessions(BEN, NOW, but=third) == (other,)
    assert two.end_sessions(BEN, NOW) == (third,) and two.end_sessions(BEN, NOW) == ()
    assert [each.id for each in two.sessions(MEI)] == [hers]
    assert [each[0] for each in recorded(two)].count("sessions_ended") == 3


def test_a_member_has_so_many_sessions_and_the_one_unused_for_longest_goes(two: AccountQueries) -> None:
    hers = session(two, MEI, "m", NOW - HOUR)
    numbers = [session(two, BEN, str(number), NOW + timedelta(seconds=number)) for number in range(MOST_SESSIONS + 2)]
    assert [each.id for each in two.sessions(BEN)] == numbers[2:]
    assert [each.id for each in two.sessions(MEI)] == [hers]


def test_old_sessions_invitations_and_tokens_are_forgotten(two: AccountQueries) -> None:
    session(two, BEN, "unused", NOW - 3 * HOUR)
    old = session(two, BEN, "old", NOW - 9 * HOUR)
    two.seen({old: NOW})
    young = session(two, BEN, "young")
    two.invite(BEN, "sha", NOW - 9 * HOUR, NOW)
    ended = replace(token(two, BEN, "b"), id="c" * 32, expires_at=NOW - 9 * HOUR)
    two.add_token(ended, "sha c")
    two.end_old_sessions(unused_since=NOW - 2 * HOUR, opened_before=NOW - 8 * HOUR, now=NOW)
    assert [each.id for each in two.sessions(BEN)] == [young]
    assert [each.id for each in two.tokens(BEN)] == ["b" * 32] and two.members()[0].invited_until is None


def test_no_session_opens_for_a_member_who_changed_meanwhile(two: AccountQueries) -> None:
    def opened(read: Member) -> int | None:
        return two.open_session(SessionRecord(0, read, "key", "ticket", "cookie", "", "", NOW, NOW))

    ben = two.member(BEN)
    two.set_password(BEN, "hash", "new", NOW)
    assert opened(ben) is None, "the password that was shown is none any more"
    two.change(BEN, {"locked_at": NOW}, NOW)
    assert opened(two.member(BEN)) is None
    two.change(BEN, {"locked_at": None}, NOW)
    ben = two.member(BEN)
    two.remove(BEN, NOW)
    assert opened(ben) is None
    assert "signed_in" not in [each[0] for each in recorded(two)]


def test_a_second_factor_is_begun_confirmed_and_ended(two: AccountQueries) -> None:
    two.begin_second_factor(BEN, b"secret")
    assert not two.member(BEN).second_factor and two.member(BEN).totp_secret == b"secret"
    two.confirm_second_factor(BEN, 7, ["one", "two"], NOW)
    assert two.member(BEN).second_factor
    assert not two.use_step(BEN, 7) and two.use_step(BEN, 8) and not two.use_step(BEN, 8)
    assert two.use_recovery_code(BEN, "one") and not two.use_recovery_code(BEN, "one") and not two.use_recovery_code(MEI, "two")
    two.change(BEN, NO_SECOND_FACTOR, NOW)
    two.change(BEN, NO_SECOND_FACTOR, NOW)
    assert not two.member(BEN).second_factor and not two.use_recovery_code(BEN, "two")
    assert [each[0] for each in recorded(two)][2:] == ["second_factor_on", "second_factor_off"]


def test_tokens_are_listed_noted_and_removed_by_their_member(two: AccountQueries) -> None:
    made = token(two, BEN, "b")
    assert two.token("sha b") == made and two.token("sha") is None
    two.used({made.id: NOW + HOUR})
    assert two.tokens(BEN) == (replace(made, used_at=NOW + HOUR),) and two.tokens(MEI) == ()
    assert not two.remove_token(MEI, made.id, NOW)
    assert two.remove_token(BEN, made.id, NOW) and not two.remove_token(BEN, made.id, NOW)
    assert two.token("sha b") is None
    assert [each[0] for each in recorded(two)][2:] == ["token_made", "token_removed"]


def test_failed_attempts_are_recorded_with_the_member_if_there_is_one(two: AccountQueries) -> None:
    two.sign_in_failed(BEN, NOW)
    two.sign_in_failed(None, NOW)
    assert recorded(two)[2:] == [("sign_in_failed", BEN, BEN, ""), ("sign_in_failed", None, "", "")]


@pytest.mark.parametrize("name", ["o'neil", "x; DROP TABLE member", "張偉", "a" * 64, "%", "\\", "ümläut"])
def test_any_name_is_kept_as_it_is(accounts: AccountQueries, name: str) -> None:
    accounts.add(member(MEI, name))
    found = accounts.by_name(name)
    assert found is not None and found.name == name and accounts.by_name("%") == (found if name == "%" else None)
