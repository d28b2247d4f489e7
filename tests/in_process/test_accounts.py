"""Members of a team server sign in, change their accounts, and lose their rights the moment they lose them."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from pyotp import TOTP
from sqlalchemy import text
from structlog.testing import capture_logs

from agent.domain.errors import BadRequest, StoreBusy
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Role, Scope
from agent.interfaces.web.local_auth import IDLE_S, LONGEST_S
from agent.server.accounts.member_auth import MemberAuth
from agent.server.accounts.members import INVITED_FOR
from agent.server.accounts.passwords import Passwords
from agent.server.accounts.tokens import MOST_TOKENS
from tests.support.postgres_server import DIALECTS, clear
from tests.support.team_accounts import LOCAL_TOKEN, ORIGIN, PASSWORD, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.team_accounts import SignedInMember

NEW = "a different long one"
OPERATOR = {"authorization": f"Bearer {LOCAL_TOKEN}"}


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest, tmp_path: Path, empty_library: Path, library_key: bytes) -> Iterator[Database]:
    if request.param == "postgresql":
        made: Database = request.getfixturevalue("on_server")
        yield made
        clear(made)
        return
    shutil.copyfile(empty_library, tmp_path / "library.db")
    opened = Database.in_file(tmp_path / "library.db", library_key)
    yield opened
    opened.close()


@pytest_asyncio.fixture
async def team(database: Database) -> AsyncIterator[Team]:
    made = Team(database)
    yield made
    await made.settle()


@pytest_asyncio.fixture
async def mei(team: Team) -> SignedInMember:
    return await team.member("mei", Role.ADMINISTRATOR)


@pytest_asyncio.fixture
async def ben(team: Team) -> SignedInMember:
    return await team.member("ben", Role.VIEWER)


@pytest_asyncio.fixture
async def page(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's; it keeps the cookie."""
    async with team.client() as client:
        yield client


async def sign_in(client: httpx.AsyncClient, name: str = "ben", password: str = PASSWORD, **more: Any) -> httpx.Response:
    return await client.post("/api/account/sign-in", json={"name": name, "password": password, **more})


async def status(client: httpx.AsyncClient, member: SignedInMember) -> int:
    return (await client.get("/api/account", headers=member.headers)).status_code


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


def actions(team: Team) -> list[str]:
    log = AuditQueries(team.queries.database)
    assert log.audit_broken_at() is None
    return [each.action for each in reversed(log.audit_entries(limit=100))]


# -- signing in ----------------------------------------------------------------------------------------------------------------------


async def test_the_first_administrator_comes_in_by_a_link(team: Team, page: httpx.AsyncClient) -> None:
    made = (await page.post("/api/members", json={"name": "Mei Lin", "role": "administrator"}, headers=OPERATOR)).json()
    assert (made["name"], made["display_name"], made["state"]) == ("mei lin", "Mei Lin", "invited")
    link = (await page.post(f"/api/members/{made['id']}/invitation", headers=OPERATOR)).json()
    assert link["path"] == f"/#invitation/{link['token']}" and len(link["token"]) == 43
    shown = (await page.get(f"/api/invitations/{link['token']}")).json()
    assert (shown["name"], shown["role"], shown["reset"], shown["second_factor"]) == ("mei lin", "administrator", False, False)
    refused = await page.post(f"/api/invitations/{link['token']}", json={"password": "short"})
    assert (refused.status_code, code_of(refused)) == (422, "account.password_short")
    accepted = await page.post(f"/api/invitations/{link['token']}", json={"password": PASSWORD})
    assert accepted.status_code == 200
    me = (await page.get("/api/account", headers={"authorization": f"Session {accepted.json()['key']}"})).json()
    assert (me["kind"], me["id"], me["role"], me["display_name"]) == ("member", made["id"], "administrator", "Mei Lin")
    assert "members.manage" in me["scopes"] and "desktop" not in me["scopes"]
    again = await page.post(f"/api/invitations/{link['token']}", json={"password": NEW})
    assert (again.status_code, code_of(again)) == (404, "account.invitation_gone")
    assert actions(team) == ["member_added", "member_invited", "invitation_accepted", "signed_in"]


async def test_an_invitation_ends_after_a_week(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    link = await team.accounts.members.invite(ben.member.id)
    team.later(INVITED_FOR)
    assert code_of(await page.get(f"/api/invitations/{link.secret}")) == "account.invitation_gone"
    assert code_of(await page.post(f"/api/invitations/{link.secret}", json={"password": NEW})) == "account.invitation_gone"


async def test_a_page_gets_key_ticket_and_a_cookie_that_only_https_sends(ben: SignedInMember, page: httpx.AsyncClient) -> None:
    answer = await sign_in(page, " BEN ")
    assert set(answer.json()) == {"key", "ticket"}
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-ai_popup_8443=") and {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "samesite=strict" in cookie.lower() and "domain" not in cookie.lower()
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_what_was_wrong_is_never_said(team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient) -> None:
    invited = await team.accounts.members.add("invited", "Invited", Role.VIEWER)
    await team.accounts.members.change(mei.member.id, display_name="Mei")
    await team.accounts.members.change(ben.member.id, locked=True)
    answers = [
        await sign_in(page, "mei", "wrong"),
        await sign_in(page, "nobody", PASSWORD),
        await sign_in(page, "ben", PASSWORD),  # locked
        await sign_in(page, invited.name, PASSWORD),
        await sign_in(page, "a\0b", PASSWORD),
        await sign_in(page, "x" * 400, PASSWORD),
    ]
    assert {(each.status_code, each.text) for each in answers} == {(401, answers[0].text)}
    assert code_of(answers[0]) == "account.wrong_sign_in"
    assert actions(team)[-6:] == ["sign_in_failed"] * 6


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"name": "ben"}',
        b'{"name": 1, "password": "x"}',
        b'{"name": "ben", "password": "\\ud800"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
async def test_bodies_that_are_none_are_refused(page: httpx.AsyncClient, body: bytes) -> None:
    answer = await page.post("/api/account/sign-in", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 401, 422), answer.text


async def test_too_long_values_are_refused_unread(page: httpx.AsyncClient) -> None:
    for more in ({"name": "x" * 401}, {"password": "x" * 1_001}, {"code": "1" * 41}):
        assert (await sign_in(page, **more)).status_code == 422


async def test_guesses_are_slowed_down_and_say_for_how_long(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    for _ in range(5):
        assert (await sign_in(page, password="wrong")).status_code == 401
    refused = await sign_in(page)
    assert (refused.status_code, code_of(refused), refused.json()["params"], refused.headers["retry-after"]) == (
        429,
        "account.too_many_attempts",
        {"seconds": 1},
        "1",
    )
    team.later(timedelta(seconds=1))
    assert (await sign_in(page)).status_code == 200
    assert actions(team).count("sign_in_failed") == 5


async def test_guessed_invitations_are_slowed_down_too(page: httpx.AsyncClient) -> None:
    answers = [await page.get(f"/api/invitations/{number}") for number in range(6)]
    assert [each.status_code for each in answers] == [404] * 5 + [429]


async def test_a_hash_of_older_parameters_is_replaced_when_its_password_is_shown(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient
) -> None:
    before = team.queries.member(ben.member.id)
    team.accounts._passwords = Passwords(memory_kib=16, passes=1)
    assert (await sign_in(page)).status_code == 200
    after = team.queries.member(ben.member.id)
    assert before.password_hash != after.password_hash and "m=16," in str(after.password_hash)
    assert before.password_changed_at == after.password_changed_at
    assert (await sign_in(page)).status_code == 200


async def test_a_database_that_does_not_answer_is_told(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StoreBusy

    again = Team(team.queries.database)
    monkeypatch.setattr(again.queries, "session_by_key", busy)
    monkeypatch.setattr(again.queries, "by_name", busy)
    async with again.client() as client:
        for answer in (await client.get("/api/account", headers=ben.headers), await sign_in(client)):
            assert (answer.status_code, code_of(answer)) == (503, "store.busy")


# -- sessions ------------------------------------------------------------------------------------------------------------------------


async def test_a_session_outlives_the_server(team: Team, ben: SignedInMember) -> None:
    again = Team(team.queries.database)
    async with again.client() as client:
        assert (await client.get("/api/account", headers=ben.headers)).json()["name"] == "ben"
        opened = ben.opened
        ticket = {"ticket": opened.ticket}
        client.cookies.set("__Host-ai_popup_8443", opened.cookie)
        assert (await client.get("/api/images/1/thumbnail", params=ticket)).status_code == 404, "let in, and there is none"
    await again.settle()


async def test_a_ticket_needs_its_own_cookie_and_opens_only_what_elements_load(
    team: Team, ben: SignedInMember, mei: SignedInMember
) -> None:
    async with team.client() as client:
        for cookie, ticket, expected in [
            (ben.opened.cookie, ben.opened.ticket, 404),
            (mei.opened.cookie, ben.opened.ticket, 401),
            (ben.opened.cookie, mei.opened.ticket, 401),
            (ben.opened.key, ben.opened.ticket, 401),
            ("", ben.opened.ticket, 401),
            (ben.opened.cookie, "", 401),
        ]:
            client.cookies.set("__Host-ai_popup_8443", cookie)
            assert (await client.get("/api/images/1/thumbnail", params={"ticket": ticket})).status_code == expected
        client.cookies.set("__Host-ai_popup_8443", ben.opened.cookie)
        whole = {"ticket": ben.opened.ticket}
        assert (await client.get("/api/account", params=whole)).status_code == 401
        assert (await client.post("/api/images/1/thumbnail", params=whole)).status_code == 401


async def test_made_up_keys_and_tokens_are_none(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    keys = ["", "x", ben.opened.ticket, ben.opened.cookie, ben.opened.key + "x", ben.opened.session.record.key_sha256]
    headers = [f"Session {each}" for each in keys] + [
        f"Bearer {each}" for each in (*keys, ben.opened.key, "aip_", "aip_x", LOCAL_TOKEN + "x")
    ]
    for header in (*headers, "Bearer", "Basic bWVpOng=", LOCAL_TOKEN):
        answer = await page.get("/api/account", headers={"authorization": header})
        assert (answer.status_code, code_of(answer)) == (401, "account.sign_in_required"), header


async def test_another_host_or_origin_is_refused(ben: SignedInMember, page: httpx.AsyncClient) -> None:
    for host in ("evil.example", "photos.example", "photos.example:80", "127.0.0.1:8443"):
        answer = await page.get("/api/account", headers={**ben.headers, "host": host})
        assert (answer.status_code, code_of(answer)) == (403, "api.foreign_origin"), host
    for origin in ("https://evil.example", "http://photos.example:8443", "null"):
        assert (await page.get("/api/account", headers={**ben.headers, "origin": origin})).status_code == 403, origin
    for site in ("cross-site", "same-site"):
        assert (await page.get("/api/account", headers={**ben.headers, "sec-fetch-site": site})).status_code == 403, site
    assert (await page.get("/api/account", headers={**ben.headers, "origin": ORIGIN, "host": "PHOTOS.example:8443"})).status_code == 200


async def test_a_session_ends_unused_and_in_any_case_some_day(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    team.later(timedelta(seconds=IDLE_S - 1))
    assert await status(page, ben) == 200
    await team.settle()
    fresh = Team(team.queries.database)
    fresh.time = team.time + timedelta(seconds=IDLE_S - 1)
    assert await fresh.accounts.sessions.by_key(ben.opened.key) is not None, "its use was noted in the database"
    await fresh.settle()
    team.later(timedelta(seconds=IDLE_S))
    assert await status(page, ben) == 401
    used = (await sign_in(page)).json()
    for _ in range(int(LONGEST_S / IDLE_S) * 2 - 1):
        team.later(timedelta(seconds=IDLE_S / 2))
        assert await team.accounts.sessions.by_key(used["key"]) is not None
    team.later(timedelta(seconds=IDLE_S / 2))
    assert await team.accounts.sessions.by_key(used["key"]) is None
    assert await team.accounts.sessions.of(ben.member.id) == ()


async def test_members_see_their_sessions_and_end_one_or_all(
    team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient
) -> None:
    other = (await sign_in(page)).json()
    other_headers = {"authorization": f"Session {other['key']}"}
    items = (await page.get("/api/account/sessions", headers=ben.headers)).json()["items"]
    assert [(each["here"], each["address"], each["browser"]) for each in items] == [(True, "10.0.0.1", "Firefox"), (False, "127.0.0.1", "")]
    hers = (await page.get("/api/account/sessions", headers=mei.headers)).json()["items"][0]["number"]
    assert (await page.delete(f"/api/account/sessions/{hers}", headers=ben.headers)).status_code == 404
    assert (await page.delete(f"/api/account/sessions/{items[1]['number']}", headers=ben.headers)).json() == {"count": 1}
    assert (await page.get("/api/account", headers=other_headers)).status_code == 401
    assert await status(page, ben) == 200
    await sign_in(page)
    assert (await page.delete("/api/account/sessions", headers=ben.headers)).json() == {"count": 2}
    assert await status(page, ben) == 401 and await status(page, mei) == 200


async def test_signing_out_ends_this_session_alone(ben: SignedInMember, page: httpx.AsyncClient) -> None:
    other = {"authorization": f"Session {(await sign_in(page)).json()['key']}"}
    assert (await page.post("/api/account/sign-out", headers=other)).status_code == 204
    assert (await page.get("/api/account", headers=other)).status_code == 401
    assert await status(page, ben) == 200


# -- one's own account ---------------------------------------------------------------------------------------------------------------


async def test_a_member_changes_the_name_that_others_see(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    assert (await page.patch("/api/account", json={"display_name": " 本 Ben "}, headers=ben.headers)).status_code == 204
    me = (await page.get("/api/account", headers=ben.headers)).json()
    assert (me["name"], me["display_name"]) == ("ben", "本 Ben")
    empty = await page.patch("/api/account", json={"display_name": " "}, headers=ben.headers)
    assert (empty.status_code, code_of(empty)) == (422, "account.name_invalid")
    assert (await page.patch("/api/account", json={"display_name": "x"})).status_code == 401
    assert actions(team)[-1] == "member_renamed"


async def test_a_changed_password_ends_the_other_sessions(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    other = {"authorization": f"Session {(await sign_in(page)).json()['key']}"}
    wrong = await page.post("/api/account/password", json={"old": "wrong", "new": NEW}, headers=ben.headers)
    assert (wrong.status_code, code_of(wrong)) == (422, "account.old_password_wrong")
    weak = await page.post("/api/account/password", json={"old": PASSWORD, "new": "password1234"}, headers=ben.headers)
    assert (weak.status_code, code_of(weak)) == (422, "account.password_common")
    assert (await page.post("/api/account/password", json={"old": PASSWORD, "new": NEW}, headers=ben.headers)).status_code == 204
    assert await status(page, ben) == 200
    assert (await page.get("/api/account", headers=other)).status_code == 401
    assert (await sign_in(page)).status_code == 401 and (await sign_in(page, password=NEW)).status_code == 200


async def test_a_reset_ends_every_session(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    link = await team.accounts.members.invite(ben.member.id)
    assert (await page.get(f"/api/invitations/{link.secret}")).json()["reset"]
    assert await status(page, ben) == 200, "until it is used"
    assert (await page.post(f"/api/invitations/{link.secret}", json={"password": NEW})).status_code == 200
    assert await status(page, ben) == 401 and (await sign_in(page)).status_code == 401


async def second_factor(team: Team, member: SignedInMember, page: httpx.AsyncClient) -> tuple[TOTP, list[str]]:
    """Put in use; gives the app's codes and the recovery codes."""
    begun = (await page.post("/api/account/second-factor", json={"password": PASSWORD}, headers=member.headers)).json()
    assert begun["uri"].startswith("otpauth://totp/") and begun["recovery_codes"] == []
    totp = TOTP(begun["secret"])
    confirmed = await page.post("/api/account/second-factor", json={"code": totp.at(team.time)}, headers=member.headers)
    assert confirmed.status_code == 200 and confirmed.json()["secret"] is None
    team.later(timedelta(minutes=1))
    return totp, confirmed.json()["recovery_codes"]


async def test_with_a_second_factor_a_code_is_needed_and_each_works_once(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    totp, recovery = await second_factor(team, ben, page)
    assert (await page.get("/api/account", headers=ben.headers)).json()["second_factor"]
    asked = await sign_in(page)
    assert (asked.status_code, code_of(asked)) == (401, "account.second_factor_required")
    assert code_of(await sign_in(page, password="wrong", code=totp.at(team.time))) == "account.wrong_sign_in"
    assert code_of(await sign_in(page, code="000000")) == "account.code_wrong"
    code = totp.at(team.time)
    assert (await sign_in(page, code=code)).status_code == 200
    assert code_of(await sign_in(page, code=code)) == "account.code_wrong", "a code that was seen over a shoulder"
    assert (await sign_in(page, code=recovery[0].lower().replace("-", " "))).status_code == 200
    assert code_of(await sign_in(page, code=recovery[0])) == "account.code_wrong"
    assert (await page.get("/api/account", headers=ben.headers)).json()["recovery_codes"] == len(recovery) - 1 == 9
    again = await page.post("/api/account/second-factor", json={"password": PASSWORD}, headers=ben.headers)
    assert (again.status_code, code_of(again)) == (409, "account.second_factor_on")


async def test_a_session_alone_sets_up_no_second_factor(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    for body in ({}, {"password": "wrong"}):
        answer = await page.post("/api/account/second-factor", json=body, headers=ben.headers)
        assert (answer.status_code, code_of(answer)) == (422, "account.old_password_wrong")
    assert (await sign_in(page)).status_code == 200


async def test_asking_without_a_code_gives_no_more_guesses_at_codes(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    await second_factor(team, ben, page)
    seen = []
    for _ in range(4):
        seen += [(await sign_in(page)).status_code, (await sign_in(page, code="000000")).status_code]
    assert seen == [401, 422, 401, 422, 401, 429, 429, 429]


async def test_a_wrong_code_confirms_nothing(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    for body in ({"code": "000000"}, {"code": ""}):
        answer = await page.post("/api/account/second-factor", json=body, headers=ben.headers)
        assert (answer.status_code, code_of(answer)) == (422, "account.code_wrong")
    assert (await sign_in(page)).status_code == 200


async def test_a_second_factor_is_switched_off_by_one_of_its_codes_or_an_administrator(
    team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient
) -> None:
    totp, recovery = await second_factor(team, ben, page)
    path = "/api/account/second-factor"
    assert code_of(await page.request("DELETE", path, json={"code": "000000"}, headers=ben.headers)) == "account.code_wrong"
    assert (await page.request("DELETE", path, json={"code": totp.at(team.time)}, headers=ben.headers)).status_code == 204
    assert (await sign_in(page)).status_code == 200
    assert (await sign_in(page, code=recovery[0])).status_code == 200, "a code that isn't needed doesn't matter"
    await second_factor(team, ben, page)
    changed = await page.patch(f"/api/members/{ben.member.id}", json={"second_factor": False}, headers=mei.headers)
    assert changed.json()["second_factor"] is False and (await sign_in(page)).status_code == 200


async def test_a_reset_link_alone_does_not_take_over_an_account_with_a_second_factor(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient
) -> None:
    totp, _ = await second_factor(team, ben, page)
    path = f"/api/invitations/{(await team.accounts.members.invite(ben.member.id)).secret}"
    assert (await page.get(path)).json()["second_factor"]
    assert code_of(await page.post(path, json={"password": NEW})) == "account.second_factor_required"
    assert code_of(await page.post(path, json={"password": NEW, "code": "000000"})) == "account.code_wrong"
    assert (await page.post(path, json={"password": NEW, "code": totp.at(team.time)})).status_code == 200


# -- tokens --------------------------------------------------------------------------------------------------------------------------


async def test_a_token_does_what_it_was_made_for_until_it_ends(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    wanted = {"name": "nightly report", "scopes": ["status.read"], "days": 2}
    unsure = await page.post("/api/account/tokens", json=wanted, headers=ben.headers)
    assert code_of(unsure) == "account.old_password_wrong", "an open session alone makes nothing that outlives it"
    wanted["password"] = PASSWORD
    made = (await page.post("/api/account/tokens", json=wanted, headers=ben.headers)).json()
    assert made["token"].startswith("aip_") and made["used_at"] is None
    bearer = {"authorization": f"Bearer {made['token']}"}
    me = (await page.get("/api/account", headers=bearer)).json()
    assert (me["kind"], me["id"], me["name"], me["scopes"]) == ("token", ben.member.id, "ben", ["status.read"])
    assert (await page.get("/api/account/sessions", headers=bearer)).status_code == 403
    await team.settle()
    listed = (await page.get("/api/account/tokens", headers=ben.headers)).json()
    assert [(each["name"], each["used_at"] is not None, "token" in each) for each in listed["items"]] == [("nightly report", True, False)]
    assert listed["scopes"] == ["status.read", "photos.read", "people.read"]
    team.later(timedelta(days=2))
    assert (await page.get("/api/account", headers=bearer)).status_code == 401


async def test_a_token_can_be_removed_at_once_and_by_its_member_alone(
    team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient
) -> None:
    made = (
        await page.post("/api/account/tokens", json={"name": "x", "scopes": ["status.read"], "password": PASSWORD}, headers=ben.headers)
    ).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await page.get("/api/account", headers=bearer)).status_code == 200
    assert (await page.delete(f"/api/account/tokens/{made['id']}", headers=mei.headers)).status_code == 404
    assert (await page.delete(f"/api/account/tokens/{made['id']}", headers=ben.headers)).status_code == 204
    assert (await page.get("/api/account", headers=bearer)).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ["photos.export"]},  # not a viewer's
        {"scopes": ["self"]},
        {"scopes": ["members.manage"]},
        {"scopes": ["desktop"]},
        {"scopes": ["made.up"]},
        {"scopes": []},
        {"days": 0},
        {"days": 367},
        {"name": ""},
        {"name": "a\0b"},
        {"name": "x" * 101},
    ],
)
async def test_a_token_gets_no_more_than_it_may_have(ben: SignedInMember, page: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    answer = await page.post(
        "/api/account/tokens", json={"name": "x", "scopes": ["status.read"], "password": PASSWORD, **wrong}, headers=ben.headers
    )
    assert answer.status_code == 422


# -- members -------------------------------------------------------------------------------------------------------------------------


async def test_tokens_that_ended_leave_room_for_new_ones(team: Team, ben: SignedInMember) -> None:
    tokens = team.accounts.tokens
    for number in range(MOST_TOKENS):
        await tokens.add(ben.member, f"report {number}", [Scope.STATUS_READ], 1)
    with pytest.raises(BadRequest):
        await tokens.add(ben.member, "one more", [Scope.STATUS_READ], 1)

    team.later(timedelta(days=1, seconds=1))

    record, _ = await tokens.add(ben.member, "one more", [Scope.STATUS_READ], 1)
    assert record.name == "one more"


async def test_a_new_role_holds_from_the_next_request_on_for_tokens_too(team: Team, mei: SignedInMember, page: httpx.AsyncClient) -> None:
    xu = await team.member("xu", Role.ADMINISTRATOR)
    made = (
        await page.post(
            "/api/account/tokens", json={"name": "x", "scopes": ["settings.read", "status.read"], "password": PASSWORD}, headers=xu.headers
        )
    ).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await page.get("/api/members", headers=xu.headers)).status_code == 200
    assert (await page.get("/api/account", headers=bearer)).json()["scopes"] == ["status.read", "settings.read"]
    changed = await page.patch(f"/api/members/{xu.member.id}", json={"role": "viewer"}, headers=mei.headers)
    assert changed.json()["role"] == "viewer"
    refused = await page.get("/api/members", headers=xu.headers)
    assert (refused.status_code, refused.json()["params"]) == (403, {"scope": "members.manage"})
    assert (await page.get("/api/account", headers=bearer)).json()["scopes"] == ["status.read"]


async def test_a_locked_members_sessions_and_tokens_die_at_once(
    team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient
) -> None:
    made = (
        await page.post("/api/account/tokens", json={"name": "x", "scopes": ["status.read"], "password": PASSWORD}, headers=ben.headers)
    ).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    link = await team.accounts.members.invite(ben.member.id)
    assert await status(page, ben) == 200 and (await page.get("/api/account", headers=bearer)).status_code == 200
    locked = await page.patch(f"/api/members/{ben.member.id}", json={"locked": True}, headers=mei.headers)
    assert locked.json()["state"] == "locked" and ben.opened.session.over.is_set()
    assert await status(page, ben) == 401 and (await page.get("/api/account", headers=bearer)).status_code == 401
    assert (await sign_in(page)).status_code == 401
    assert (await page.post(f"/api/invitations/{link.secret}", json={"password": NEW})).status_code == 404
    await page.patch(f"/api/members/{ben.member.id}", json={"locked": False}, headers=mei.headers)
    assert (await sign_in(page)).status_code == 200 and await status(page, ben) == 401, "the old session stays ended"
    assert (await page.get("/api/account", headers=bearer)).status_code == 200


async def test_a_removed_members_sessions_and_tokens_die_at_once(ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient) -> None:
    made = (
        await page.post("/api/account/tokens", json={"name": "x", "scopes": ["status.read"], "password": PASSWORD}, headers=ben.headers)
    ).json()
    bearer = {"authorization": f"Bearer {made['token']}"}
    assert (await page.get("/api/account", headers=bearer)).status_code == 200
    assert (await page.delete(f"/api/members/{ben.member.id}", headers=mei.headers)).status_code == 204
    assert await status(page, ben) == 401 and (await page.get("/api/account", headers=bearer)).status_code == 401
    assert (await page.delete(f"/api/members/{ben.member.id}", headers=mei.headers)).status_code == 404


async def test_a_refused_change_changes_nothing(team: Team, mei: SignedInMember, page: httpx.AsyncClient) -> None:
    await second_factor(team, mei, page)
    refused = await page.patch(
        f"/api/members/{mei.member.id}", json={"second_factor": False, "locked": True, "display_name": "x"}, headers=mei.headers
    )
    assert refused.status_code == 409
    found = team.queries.member(mei.member.id)
    assert found.second_factor and found.locked_at is None and found.display_name == "Mei"


async def test_who_is_locked_while_signing_in_stays_out(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    matches = team.accounts._passwords.matches

    async def meanwhile(password: str, expected: str | None) -> bool:
        await team.accounts.members.change(ben.member.id, locked=True)
        return await matches(password, expected)

    team.accounts._passwords.matches = meanwhile  # type: ignore[method-assign]
    assert code_of(await sign_in(page)) == "account.wrong_sign_in"
    await team.accounts.members.change(ben.member.id, locked=False)
    assert team.queries.sessions(ben.member.id) == ()


async def test_the_last_administrator_stays(ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient) -> None:
    path = f"/api/members/{mei.member.id}"
    for answer in (
        await page.patch(path, json={"role": "viewer"}, headers=mei.headers),
        await page.patch(path, json={"locked": True}, headers=mei.headers),
        await page.delete(path, headers=mei.headers),
        await page.delete(path, headers=OPERATOR),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "account.last_administrator")
    assert await status(page, mei) == 200


async def test_members_are_listed_and_named_for_the_record(
    team: Team, ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient
) -> None:
    items = (await page.get("/api/members", headers=mei.headers)).json()["items"]
    assert [(each["name"], each["role"], each["state"]) for each in items] == [
        ("ben", "viewer", "active"),
        ("mei", "administrator", "active"),
    ]
    auditor = await team.member("zoe", Role.AUDITOR)
    assert (await page.get("/api/members", headers=auditor.headers)).status_code == 403
    named = (await page.get("/api/members/names", headers=auditor.headers)).json()["items"]
    assert {each["id"]: each["display_name"] for each in named}[ben.member.id] == "Ben"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"name": "BEN", "role": "viewer"}, "account.name_taken"),
        ({"name": "Ｂｅｎ", "role": "viewer"}, "account.name_taken"),
        ({"name": "a\u0000b", "role": "viewer"}, "account.name_invalid"),
        ({"name": "\u202e", "role": "viewer"}, "account.name_invalid"),
        ({"name": "x" * 65, "role": "viewer"}, "account.name_invalid"),
        ({"name": "x", "display_name": "a\nb", "role": "viewer"}, "account.name_invalid"),
        ({"name": "x" * 401, "role": "viewer"}, "api.bad_request"),
        ({"name": "x", "role": "owner"}, "api.bad_request"),
        ({"name": "x", "role": "viewer", "id": "a"}, "api.bad_request"),
    ],
)
async def test_names_and_roles_are_checked(
    ben: SignedInMember, mei: SignedInMember, page: httpx.AsyncClient, body: dict[str, Any], code: str
) -> None:
    answer = await page.post("/api/members", json=body, headers=mei.headers)
    assert code_of(answer) == code


@pytest.mark.parametrize(
    "made_up", ["%00", "a%00b", "%ED%A0%80", "%FF", "..%2Fx", "0", "-1", str(2**63), str(10**30), "x" * 5_000, "'--", "％"]
)
async def test_made_up_ids_are_refused_and_break_nothing(mei: SignedInMember, page: httpx.AsyncClient, made_up: str) -> None:
    for method, path in [
        ("PATCH", "/api/members/{}"),
        ("DELETE", "/api/members/{}"),
        ("POST", "/api/members/{}/invitation"),
        ("DELETE", "/api/account/tokens/{}"),
        ("DELETE", "/api/account/sessions/{}"),
        ("GET", "/api/invitations/{}"),
    ]:
        answer = await page.request(method, path.format(made_up), headers=mei.headers, json={} if method == "PATCH" else None)
        assert answer.status_code in (404, 405, 422), (method, path, answer.text)
    assert await status(page, mei) == 200


async def test_commands_on_this_machine_are_no_member(page: httpx.AsyncClient) -> None:
    me = (await page.get("/api/account", headers=OPERATOR)).json()
    assert (me["kind"], me["id"]) == ("local", "") and set(me["scopes"]) == {each.value for each in Scope} - {"open"}
    assert (await page.get("/api/account/sessions", headers=OPERATOR)).status_code == 403


# -- what is kept --------------------------------------------------------------------------------------------------------------------


async def test_no_secret_is_stored_or_logged(team: Team, page: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        ben = await team.member("ben", Role.VIEWER)
        invitation = await team.accounts.members.invite(ben.member.id)
        totp, recovery = await second_factor(team, ben, page)
        made = (
            await page.post("/api/account/tokens", json={"name": "x", "scopes": ["status.read"], "password": PASSWORD}, headers=ben.headers)
        ).json()
        await sign_in(page, password="wrong wrong wrong")
    secrets = [ben.opened.key, ben.opened.ticket, ben.opened.cookie, invitation.secret, made["token"], totp.secret, PASSWORD]
    secrets += [*recovery, *(each.replace("-", "") for each in recovery), "wrong wrong wrong"]
    tables = ("member", "recovery_code", "invitation", "member_session", "api_token", "audit")
    with team.queries.database.read() as tx:
        stored = repr([tx.execute(text(f"SELECT * FROM {table}")).all() for table in tables])
    assert re.search(r"\$argon2id\$", stored) and len(stored) > 2_000
    for secret in secrets:
        assert secret not in stored and secret not in repr(lines)
    assert "ben" not in repr(lines)


def test_the_access_says_only_https_for_a_year() -> None:
    assert MemberAuth.headers == {b"strict-transport-security": b"max-age=31536000"}
