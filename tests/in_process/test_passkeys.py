"""Passkeys sign members in, stand in for a code, accept invitations, and are refused where anything about them is not right."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Role
from agent.server.accounts.challenges import LASTS, PER_MINUTE
from agent.server.accounts.passkey_queries import MOST_PASSKEYS
from agent.server.accounts.service import FRESH
from tests.support.postgres_server import clear
from tests.support.software_authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, handle_of
from tests.support.team_accounts import ORIGIN, PASSWORD, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.team_accounts import SignedInMember

HOST = "photos.example"


@pytest.fixture
def database(on_server: Database) -> Iterator[Database]:
    yield on_server
    clear(on_server)


@pytest_asyncio.fixture
async def team(database: Database) -> AsyncIterator[Team]:
    made = Team(database)
    yield made
    await made.settle()


@pytest_asyncio.fixture
async def ben(team: Team) -> SignedInMember:
    return await team.member("ben", Role.VIEWER)


@pytest_asyncio.fixture
async def page(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    async with team.client() as client:
        yield client


@pytest.fixture
def phone() -> Authenticator:
    return Authenticator(ORIGIN, HOST)


async def begin(page: httpx.AsyncClient, who: SignedInMember, password: str = PASSWORD) -> dict[str, Any]:
    answer = await page.post("/api/account/passkeys/challenge", json={"password": password}, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["public_key"])


async def register(page: httpx.AsyncClient, who: SignedInMember, phone: Authenticator, name: str = "Phone") -> httpx.Response:
    made = {"name": name, "credential": phone.create(await begin(page, who))}
    return await page.post("/api/account/passkeys", json=made, headers=who.headers)


async def challenge(page: httpx.AsyncClient, *, second: bool = False) -> dict[str, Any]:
    return dict((await page.post("/api/account/passkey-challenge", json={"second": second})).json()["public_key"])


async def sign_in(page: httpx.AsyncClient, phone: Authenticator) -> httpx.Response:
    return await page.post("/api/account/passkey-sign-in", json={"passkey": phone.get(await challenge(page))})


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


def record(team: Team) -> list[tuple[str, str]]:
    log = AuditQueries(team.queries.database)
    assert log.audit_broken_at() is None
    return [(each.action, each.detail) for each in reversed(log.audit_entries(limit=100))]


async def test_a_passkey_is_made_signs_in_and_is_removed(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    options = await begin(page, ben)
    assert options["rp"]["id"] == HOST and options["attestation"] == "none"
    assert {each["alg"] for each in options["pubKeyCredParams"]} == {-7, -8, -257}
    wanted = options["authenticatorSelection"]
    assert (wanted["residentKey"], wanted["userVerification"]) == ("required", "required")
    added = await page.post("/api/account/passkeys", json={"name": " Phone ", "credential": phone.create(options)}, headers=ben.headers)
    assert (added.status_code, added.json()["name"], added.json()["host"], added.json()["used_at"]) == (200, "Phone", HOST, None)
    assert handle_of(phone.user).hex() == ben.member.id

    asked = await challenge(page)
    assert asked["rpId"] == HOST and asked["userVerification"] == "required" and not asked.get("allowCredentials")
    signed = await sign_in(page, phone)
    assert set(signed.json()) == {"key", "ticket"} and "__Host-ai_popup_8443" in signed.headers["set-cookie"]
    me = {"authorization": f"Session {signed.json()['key']}"}
    assert (await page.get("/api/account", headers=me)).json()["id"] == ben.member.id
    [known] = (await page.get("/api/account/passkeys", headers=me)).json()["items"]
    assert known["used_at"] is not None and not known["synced"]

    where = f"/api/account/passkeys/{known['id']}"
    assert (await page.patch(where, json={"name": "Old phone"}, headers=me)).status_code == 204
    assert (await page.get("/api/account/passkeys", headers=me)).json()["items"][0]["name"] == "Old phone"
    unsure = await page.request("DELETE", where, json={}, headers=me)
    assert code_of(unsure) == "account.old_password_wrong", "an open session alone weakens no account"
    assert (await page.request("DELETE", where, json={"password": PASSWORD}, headers=me)).status_code == 204
    assert code_of(await sign_in(page, phone)) == "account.passkey_wrong"
    noted = record(team)[-5:]
    assert [action for action, _ in noted] == ["passkey_added", "signed_in", "sign_in_failed", "passkey_removed", "sign_in_failed"]
    assert noted[1] == ("signed_in", "passkey")


CLAIMS: tuple[dict[str, Any], ...] = (
    {"origin": "https://photos.example:9443"},
    {"origin": "https://evil.example"},
    {"host": "evil.example"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"flags": PRESENT | VERIFIED | BACKED_UP},
    {"flags": PRESENT | VERIFIED | ELIGIBLE | BACKED_UP},
    {"count": 4},
    {"count": 3},
    {"user": "AAAA"},
    {"credential_id": b"another"},
)


async def test_an_answer_that_is_not_right_signs_nobody_in(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    phone.count = 4
    await register(page, ben, phone)
    for claim in CLAIMS:
        team.later(timedelta(hours=1))  # so that no earlier failure counts
        answer = await sign_in(page, replace(phone, **{"count": 5} | claim))
        assert (answer.status_code, code_of(answer)) == (401, "account.passkey_wrong"), claim
        assert record(team)[-1][0] == "sign_in_failed"
    phone.count = 5
    assert (await sign_in(page, phone)).status_code == 200


async def test_nor_does_a_signature_by_another_key_or_what_is_no_answer(
    ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    phone.key = Authenticator(ORIGIN, HOST).key
    assert code_of(await sign_in(page, phone)) == "account.passkey_wrong"
    for odd in ({}, {"id": "a", "rawId": "b", "type": "public-key", "response": {}}, phone.create(await begin(page, ben))):
        answer = await page.post("/api/account/passkey-sign-in", json={"passkey": odd})
        assert (answer.status_code, code_of(answer)) == (401, "account.passkey_wrong")


async def test_a_challenge_works_once_for_its_purpose_and_for_a_while(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    answer = phone.get(await challenge(page))
    assert (await page.post("/api/account/passkey-sign-in", json={"passkey": answer})).status_code == 200
    assert code_of(await page.post("/api/account/passkey-sign-in", json={"passkey": answer})) == "account.ceremony_gone"
    second = phone.get(await challenge(page, second=True))
    assert code_of(await page.post("/api/account/passkey-sign-in", json={"passkey": second})) == "account.ceremony_gone"
    made_up = phone.get({"challenge": "A" * 43})
    assert code_of(await page.post("/api/account/passkey-sign-in", json={"passkey": made_up})) == "account.ceremony_gone"
    late = phone.get(await challenge(page))
    team.later(LASTS)
    assert code_of(await page.post("/api/account/passkey-sign-in", json={"passkey": late})) == "account.ceremony_gone"
    mei = await team.member("mei", Role.VIEWER)
    options = await begin(page, mei)
    foreign = {"name": "x", "credential": Authenticator(ORIGIN, HOST).create(options)}
    assert code_of(await page.post("/api/account/passkeys", json=foreign, headers=ben.headers)) == "account.ceremony_gone"


async def test_a_counter_that_grows_and_a_synced_passkey_are_fine(team: Team, ben: SignedInMember, page: httpx.AsyncClient) -> None:
    key, synced = Authenticator(ORIGIN, HOST, count=7), Authenticator(ORIGIN, HOST, flags=PRESENT | VERIFIED | ELIGIBLE | BACKED_UP)
    await register(page, ben, key)
    assert (await register(page, ben, synced)).json()["synced"]
    key.count = 8
    assert (await sign_in(page, key)).status_code == 200
    assert code_of(await sign_in(page, key)) == "account.passkey_wrong"  # a copy would count on from the same number
    assert [(await sign_in(page, synced)).status_code for _ in range(2)] == [200, 200]


async def test_with_a_passkey_the_password_alone_does_not_sign_in(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    wanted: dict[str, Any] = {"name": "ben", "password": PASSWORD}
    asked = await page.post("/api/account/sign-in", json=wanted)
    assert (asked.status_code, code_of(asked)) == (401, "account.second_factor_required")
    assert asked.json()["params"] == {"code": 0, "passkey": 1}
    phone.flags = PRESENT  # the password was the first factor
    wanted["passkey"] = phone.get(await challenge(page, second=True))
    assert (await page.post("/api/account/sign-in", json=wanted)).status_code == 200
    assert code_of(await page.post("/api/account/sign-in", json=wanted)) == "account.ceremony_gone"
    stranger = Authenticator(ORIGIN, HOST)
    mei = await team.member("mei", Role.VIEWER)
    await register(page, mei, stranger)
    wanted["passkey"] = stranger.get(await challenge(page, second=True))
    assert code_of(await page.post("/api/account/sign-in", json=wanted)) == "account.wrong_sign_in"


async def test_who_lost_the_device_is_helped_by_an_administrator(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    link = await team.accounts.members.invite(ben.member.id)
    refused = await page.post(f"/api/invitations/{link.secret}", json={"password": "a different long one"})
    assert code_of(refused) == "account.second_factor_required"  # the link alone does not take over the account
    await team.accounts.members.change(ben.member.id, second_factor=False)
    assert await team.accounts.passkeys.of(ben.member.id) == ()
    assert (await page.post(f"/api/invitations/{link.secret}", json={"password": "a different long one"})).status_code == 200


async def test_a_new_password_is_set_with_a_passkey_as_the_second_factor(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    link = await team.accounts.members.invite(ben.member.id)
    where, wanted = f"/api/invitations/{link.secret}", dict[str, Any](password="a different long one")
    assert (await page.get(where)).json()["passkeys"] == 1
    stranger = Authenticator(ORIGIN, HOST)
    await register(page, await team.member("mei", Role.VIEWER), stranger)
    refused = await page.post(where, json=wanted | {"passkey": stranger.get(await challenge(page, second=True))})
    assert code_of(refused) == "account.code_wrong"
    accepted = await page.post(where, json=wanted | {"passkey": phone.get(await challenge(page, second=True))})
    assert accepted.status_code == 200
    asked = await page.post("/api/account/sign-in", json={"name": "ben", **wanted})
    assert asked.json()["params"] == {"code": 0, "passkey": 1}, "the new password is right, and its passkey is still asked for"


async def test_an_invitation_is_accepted_by_a_passkey_which_stays_the_last_way_in(
    team: Team, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    made = await team.accounts.members.add("ada", "Ada", Role.ADMINISTRATOR)
    link = await team.accounts.members.invite(made.id)
    other = await team.accounts.members.invite((await team.accounts.members.add("eve", "Eve", Role.VIEWER)).id)
    where = f"/api/invitations/{link.secret}"
    options = (await page.post(f"{where}/passkey-challenge")).json()["public_key"]
    created = {"new_passkey": {"name": "Key", "credential": phone.create(options)}}
    assert code_of(await page.post(f"/api/invitations/{other.secret}", json=created)) == "account.ceremony_gone"
    options = (await page.post(f"{where}/passkey-challenge")).json()["public_key"]
    created = {"new_passkey": {"name": "Key", "credential": phone.create(options)}}
    assert (await page.post(where, json={**created, "password": PASSWORD})).status_code == 422
    accepted = await page.post(where, json=created)
    me = {"authorization": f"Session {accepted.json()['key']}"}
    own = (await page.get("/api/account", headers=me)).json()
    assert (own["id"], own["password"]) == (made.id, False)
    assert next(each.member for each in await team.accounts.members.list() if each.member.id == made.id).joined
    assert (await sign_in(page, phone)).status_code == 200
    [known] = (await page.get("/api/account/passkeys", headers=me)).json()["items"]
    where = f"/api/account/passkeys/{known['id']}"
    last = await page.request("DELETE", where, json={}, headers=me)
    assert (last.status_code, code_of(last)) == (409, "account.last_way_in")
    assert (await sign_in(page, phone)).status_code == 200
    # Without a password, only a fresh session adds another one.
    assert (await page.post("/api/account/passkeys/challenge", json={}, headers=me)).status_code == 200
    team.later(FRESH + timedelta(seconds=1))
    assert code_of(await page.post("/api/account/passkeys/challenge", json={}, headers=me)) == "account.sign_in_again"
    assert code_of(await page.request("DELETE", where, json={}, headers=me)) == "account.sign_in_again"


async def test_who_is_locked_or_removed_stays_out(team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator) -> None:
    await register(page, ben, phone)
    await team.accounts.members.change(ben.member.id, locked=True)
    assert code_of(await sign_in(page, phone)) == "account.passkey_wrong"
    await team.accounts.members.remove(ben.member.id)
    assert code_of(await sign_in(page, phone)) == "account.passkey_wrong"


async def test_adding_one_asks_for_the_password_and_failures_are_slowed_down(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    wrong = [await page.post("/api/account/passkeys/challenge", json={"password": "no"}, headers=ben.headers) for _ in range(6)]
    assert [code_of(each) for each in wrong] == ["account.old_password_wrong"] * 5 + ["account.too_many_attempts"]
    team.later(timedelta(hours=1))
    await register(page, ben, phone)
    phone.key = Authenticator(ORIGIN, HOST).key
    answers = [code_of(await sign_in(page, phone)) for _ in range(6)]
    assert answers == ["account.passkey_wrong"] * 5 + ["account.too_many_attempts"]
    begun = [await page.post("/api/account/passkey-challenge", json={}) for _ in range(PER_MINUTE.amount)]
    assert {code_of(each) for each in begun if each.status_code != 200} == {"account.too_many_attempts"}


async def test_a_passkey_has_one_owner_and_an_account_a_limited_number(
    team: Team, ben: SignedInMember, page: httpx.AsyncClient, phone: Authenticator
) -> None:
    await register(page, ben, phone)
    mei = await team.member("mei", Role.VIEWER)
    assert code_of(await register(page, mei, phone)) == "account.passkey_unusable"
    for _ in range(MOST_PASSKEYS - 1):
        await register(page, ben, Authenticator(ORIGIN, HOST))
    assert code_of(await register(page, ben, Authenticator(ORIGIN, HOST))) == "account.passkeys_too_many"


async def test_no_passkey_belongs_to_an_address_made_of_numbers(team: Team, ben: SignedInMember) -> None:
    for address in ("https://10.0.0.5:8443", "https://[fd00::5]:8443"):
        team.origins.add(address)
        async with team.client() as page:
            page.base_url = httpx.URL(address)
            listed = await page.get("/api/account/passkeys", headers=ben.headers)
            assert listed.json()["possible"] is False
            refused = await page.post("/api/account/passkey-challenge", json={})
            assert (refused.status_code, code_of(refused)) == (409, "account.passkeys_need_name")
