"""The provider ends sessions by logout tokens, once each and whichever process is told, and nothing made up ends one."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from pyotp import TOTP
from sqlalchemy import func, select
from structlog.testing import capture_logs

from agent.infrastructure.store.schema import ceremony, member_session
from agent.interfaces.web.access import Role
from agent.interfaces.web.scoped_route import MOST_OF_A_STRANGER
from agent.server.accounts.oidc.auth_request import LOGOUT
from agent.server.accounts.oidc.http_client import Fetching
from agent.server.accounts.oidc.provider import RETRY_S, Provider
from agent.server.accounts.oidc.provider_check import findings
from agent.server.accounts.service import REFUSED_LOGOUTS
from tests.in_process.test_provider import DISCOVERY, SECOND, Desk, database, desk, grace, me, one_school, said, school
from tests.support.openid_provider import CLIENT, EVENTS, new_key, unsigned
from tests.support.team_accounts import HERE, ORIGIN, PASSWORD, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from agent.infrastructure.store.database import Database
    from tests.support.openid_provider import OpenIdProvider
    from tests.support.team_accounts import SignedInMember

__all__ = ["database", "desk", "grace", "one_school", "school"]  # fixtures

SUBJECT = "u-1"
Headers = dict[str, str]


async def told(desk: Desk, token: str) -> httpx.Response:
    return await desk.page.post(LOGOUT, data={"logout_token": token})


async def accepted(desk: Desk, **claims: Any) -> None:
    answer = await told(desk, desk.school.logout_token(**claims))
    assert (answer.status_code, answer.content, answer.headers["cache-control"]) == (200, b"", "no-store"), answer.text


async def refused(desk: Desk, token: str) -> str:
    """What the answer says of the reason."""
    answer = await told(desk, token)
    assert (answer.status_code, answer.headers["cache-control"]) == (400, "no-store"), answer.text
    assert answer.json()["error"] == "invalid_request"
    return str(answer.json()["error_description"])


async def signed_in(desk: Desk, session: str | None = None) -> Headers:
    """A page that signed in by the provider, in that session there."""
    desk.school.claims = {"sid": session}
    return me(await desk.sign_in())


async def are_in(desk: Desk, *pages: Headers) -> list[bool]:
    return [(await desk.page.get("/api/account", headers=each)).status_code == 200 for each in pages]


def ends(desk: Desk) -> list[tuple[str, str]]:
    return [each for each in desk.record() if each[0] == "sessions_ended"]


async def test_an_account_that_is_signed_out_ends_all_that_it_opened(desk: Desk, grace: SignedInMember) -> None:
    """Not what the password opened: the provider's word is about its own sessions."""
    one, two = await signed_in(desk, "s-1"), await signed_in(desk)
    desk.school.user = {"sub": "u-2", "preferred_username": "ben"}
    ben = await desk.team.member("ben", Role.VIEWER)
    await desk.link(ben)
    his = await signed_in(desk, "s-2")
    open_page = await desk.team.accounts.sessions.by_key(one["authorization"].removeprefix("Session "))
    assert open_page is not None and not open_page.over.is_set()

    await accepted(desk, sub=SUBJECT)
    assert open_page.over.is_set()  # its stream of events ends, and it shows the way to sign in
    assert await are_in(desk, one, two, grace.headers, his) == [False, False, True, True]
    assert ends(desk) == [("sessions_ended", "provider")]
    # Nothing is left to end: that is what the provider asked for.
    await accepted(desk, sub=SUBJECT)
    await accepted(desk, sub="u-9")
    assert len(ends(desk)) == 1


@pytest.mark.parametrize("subject", [SUBJECT, None])
async def test_one_session_of_the_provider_ends_what_it_opened(desk: Desk, grace: SignedInMember, subject: str | None) -> None:
    one, other = await signed_in(desk, "s-1"), await signed_in(desk, "s-2")
    await accepted(desk, sub=subject, sid="s-1")
    assert await are_in(desk, one, other, grace.headers) == [False, True, True]
    await accepted(desk, sub=subject, sid="s-9")
    assert await are_in(desk, other) == [True]


async def test_a_session_that_does_not_know_its_provider_s_ends_with_the_account(desk: Desk, grace: SignedInMember) -> None:
    """It was opened before its number was kept, or the provider's ID tokens don't say it."""
    unnamed, other = await signed_in(desk), await signed_in(desk, "s-2")
    await accepted(desk, sid="s-1")
    assert await are_in(desk, unnamed) == [True]
    await accepted(desk, sub=SUBJECT, sid="s-1")
    assert await are_in(desk, unnamed, other) == [False, True]


async def test_an_account_of_the_same_number_elsewhere_ends_nothing(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk, "s-1")
    assert await refused(desk, desk.school.logout_token(sub=SUBJECT, sid="s-1", iss="https://evil.example")) == (
        "account.logout_token_invalid iss"
    )
    assert await are_in(desk, page) == [True]


async def asked_for_second_factor(desk: Desk, grace: SignedInMember) -> dict[str, str]:
    """Sign in by the provider's session `s-1` as a member who then shows a second factor; returns what the page sends with it."""
    begun = (await desk.page.post("/api/account/second-factor", json={"password": PASSWORD}, headers=grace.headers)).json()
    app = TOTP(begun["secret"])
    await desk.page.post("/api/account/second-factor", json={"code": app.at(int(desk.team.time.timestamp()))}, headers=grace.headers)
    desk.team.later(timedelta(minutes=1))
    desk.school.claims = {"sid": "s-1"}
    more = (await desk.sign_in()).json()["second_factor"]
    return {name: more[name] for name in ("state", "keep", "member", "session")} | {"code": app.at(int(desk.team.time.timestamp()))}


async def test_the_session_is_known_after_a_second_factor_too(desk: Desk, grace: SignedInMember) -> None:
    shown = await asked_for_second_factor(desk, grace)
    # A page can't say that it was opened by another session, or by none.
    for made_up in ("0" * 64, ""):
        assert said(await desk.page.post(SECOND, json=shown | {"session": made_up})) == "account.ceremony_gone"
    opened = await desk.page.post(SECOND, json=shown)
    page = {"authorization": f"Session {opened.json()['key']}"}
    assert await are_in(desk, page) == [True]
    await accepted(desk, sid="s-1")
    assert await are_in(desk, page) == [False]


async def test_a_session_that_ended_while_its_member_was_signing_in_opens_nothing(desk: Desk, grace: SignedInMember) -> None:
    shown = await asked_for_second_factor(desk, grace)
    await accepted(desk, sid="s-1")
    late = await desk.page.post(SECOND, json=shown)
    assert said(late) == "account.ceremony_gone"
    # Nor does its statement, with the second factor shown at the provider. A new session there is another.
    desk.school.claims = {"sid": "s-1", "amr": ["mfa"]}
    assert await desk.refused() == "account.ceremony_gone"
    assert [each.means for each in await desk.team.accounts.sessions.of(grace.member.id)] == ["password"]
    desk.school.claims = {"sid": "s-2", "amr": ["mfa"]}
    assert await are_in(desk, me(await desk.sign_in())) == [True]


async def test_the_session_is_known_after_an_invitation_too(desk: Desk) -> None:
    made = await desk.team.accounts.members.add("grace", "Grace", Role.CURATOR)
    token = (await desk.team.accounts.members.invite(made.id)).secret
    desk.school.claims = {"sid": "s-1"}
    given = await desk.back(await desk.begin(f"/api/invitations/{token}/provider-begin"))
    signed = await desk.page.post(f"/api/invitations/{token}/provider", json=given)
    page = {"authorization": f"Session {signed.json()['key']}"}
    await accepted(desk, sid="s-1")
    assert await are_in(desk, page) == [False]
    token = (await desk.team.accounts.members.invite(made.id)).secret
    given = await desk.back(await desk.begin(f"/api/invitations/{token}/provider-begin"))
    assert said(await desk.page.post(f"/api/invitations/{token}/provider", json=given)) == "account.ceremony_gone"
    assert await desk.team.accounts.sessions.of(made.id) == ()


def wrong(school: OpenIdProvider) -> dict[str, str]:
    """Tokens, by what is wrong. `tests/unit/server/accounts/test_logout_tokens.py` has all kinds."""
    right: dict[str, Any] = {"iss": school.issuer, "aud": CLIENT, "sub": SUBJECT, "iat": int(time.time()), "jti": "j", "events": EVENTS}
    return {
        "signature": unsigned(right),
        "aud": school.logout_token(sub=SUBJECT, aud="another client"),
        "iat": school.logout_token(sub=SUBJECT, iat=1_000_000_000),
        "events": school.logout_token(sub=SUBJECT, events=None),
        "nonce": school.id_token("n"),
        "form": "made up",
    }


async def test_a_token_that_is_not_right_ends_nothing_and_is_logged_without_its_content(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk)
    tokens = wrong(desk.school) | {"nonce": desk.school.logout_token(sub=SUBJECT, nonce="n")}
    with capture_logs() as logged:
        for claim, token in tokens.items():
            assert await refused(desk, token) == f"account.logout_token_invalid {claim}"
        assert await refused(desk, desk.school.id_token("n")) == "account.logout_token_invalid events"
    facts = [each for each in logged if each["event"] == "provider.logout_refused"]
    assert [each["claim"] for each in facts] == [*tokens, "events"]
    assert not any(token in str(logged) for token in tokens.values() if token != "made up") and SUBJECT not in str(facts)
    assert await are_in(desk, page) == [True] and ends(desk) == []


async def test_a_body_without_a_token_or_too_large_is_refused(desk: Desk) -> None:
    bodies: list[dict[str, Any]] = [{}, {"json": {"logout_token": "a"}}, {"data": {"logout_token": "a" * MOST_OF_A_STRANGER}}]
    for body in bodies:
        answer = await desk.page.post(LOGOUT, **body)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    foreign = await desk.page.post(LOGOUT, data={"logout_token": "a"}, headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403


@pytest_asyncio.fixture
async def other(desk: Desk, database: Database, school: OpenIdProvider) -> AsyncIterator[Desk]:
    """Another process of the same server."""
    made = Desk(Team(database), school)
    yield made
    await made.page.aclose()
    await made.team.settle()


async def test_a_token_works_once_whichever_process_is_told(desk: Desk, other: Desk, grace: SignedInMember) -> None:
    first = await signed_in(desk)
    token = desk.school.logout_token(sub=SUBJECT)
    assert (await told(desk, token)).status_code == 200
    assert await are_in(desk, first) == [False]
    page = await signed_in(desk)
    for process in (desk, other):
        assert await refused(process, token) == "account.logout_token_invalid jti"
    assert await are_in(desk, page) == [True]
    # Told to both at once, it ends what there is once.
    token = desk.school.logout_token(sub=SUBJECT)
    answers = await asyncio.gather(*(told(process, token) for process in (desk, other) * 3))
    assert sorted(each.status_code for each in answers) == [200, *[400] * 5]
    assert len(ends(desk)) == 2


async def test_a_used_token_is_forgotten_once_it_is_too_old(desk: Desk) -> None:
    def kept() -> int:
        with desk.team.queries.database.read() as tx:
            return int(tx.scalar(select(func.count()).select_from(ceremony)) or 0)

    await accepted(desk, sub=SUBJECT)
    desk.team.later(timedelta(seconds=900 + 2 * 60) - timedelta(seconds=1))
    await accepted(desk, sub=SUBJECT)
    assert kept() == 2
    desk.team.later(timedelta(seconds=1))
    await accepted(desk, sub=SUBJECT)
    assert kept() == 2


async def test_the_provider_changes_its_keys(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk)
    old, desk.school.key = desk.school.key, new_key("second")
    desk.elapsed += RETRY_S
    await accepted(desk, sub=SUBJECT)
    assert await are_in(desk, page) == [False]
    desk.school.signs_with = old
    assert await refused(desk, desk.school.logout_token(sub=SUBJECT)) == "account.logout_token_invalid signature"


async def test_made_up_keys_do_not_have_the_provider_asked_again_and_again(desk: Desk) -> None:
    tokens = [desk.school.logout_token({"kid": f"made up {number}"}, sub=SUBJECT) for number in range(10)]
    assert {each.status_code for each in await asyncio.gather(*(told(desk, token) for token in tokens))} == {400}
    assert desk.school.asked == [DISCOVERY, "/keys"]
    # Nor does a provider that is away.
    desk.use()
    desk.school.broken, desk.school.asked = {"/keys": "garbage"}, []
    assert {each.status_code for each in await asyncio.gather(*(told(desk, token) for token in tokens))} == {400}
    assert desk.school.asked == [DISCOVERY, "/keys"]


async def test_a_token_that_could_not_be_checked_may_come_again(desk: Desk, grace: SignedInMember) -> None:
    page, token = await signed_in(desk), desk.school.logout_token(sub=SUBJECT)
    desk.use()
    desk.school.broken = {"/keys": "garbage"}
    assert await refused(desk, token) == "account.provider_invalid"
    desk.school.broken = {}
    desk.elapsed += RETRY_S
    assert (await told(desk, token)).status_code == 200
    assert await are_in(desk, page) == [False]


async def test_many_refused_ones_are_told_to_wait_and_hold_up_no_good_one(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk)
    made_up = [(await told(desk, "made up")).status_code for _ in range(REFUSED_LOGOUTS.amount + 1)]
    assert (set(made_up[:-1]), made_up[-1]) == ({400}, 429)
    later = await told(desk, "made up")
    assert (later.status_code, said(later)) == (429, "account.too_many_attempts") and int(later.headers["retry-after"]) <= 60
    await accepted(desk, sub=SUBJECT)
    assert await are_in(desk, page) == [False]


async def test_the_check_names_the_address_if_the_provider_can_tell(desk: Desk) -> None:
    async def named() -> list[str]:
        desk.use()
        assert desk.provider is not None
        return [each.value for each in await findings(desk.provider, [ORIGIN], secret=True) if each.key == "logout"]

    assert await named() == []
    desk.school.document = {"backchannel_logout_supported": True}
    assert await named() == [f"{ORIGIN}/api/account/provider/backchannel-logout"]


async def test_without_a_provider_nothing_is_accepted(desk: Desk) -> None:
    token = desk.school.logout_token(sub=SUBJECT)
    desk.provider = None
    assert await refused(desk, token) == "account.provider_off"


async def test_another_provider_of_the_settings_ends_nothing_of_this_one(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk, "s-1")
    renamed = desk.school.settings().model_copy(update={"client_id": "elsewhere"})
    desk.provider = Provider(renamed, lambda: None, Fetching(renamed))
    assert await refused(desk, desk.school.logout_token(sub=SUBJECT)) == "account.logout_token_invalid aud"
    assert await are_in(desk, page) == [True]


async def test_a_member_who_unlinked_the_account_is_still_signed_out_by_the_session(desk: Desk, grace: SignedInMember) -> None:
    page = await signed_in(desk, "s-1")
    assert (await desk.unlink(page)).status_code == 204
    await accepted(desk, sub=SUBJECT, sid="s-1")
    assert await are_in(desk, page) == [False]


async def test_the_database_keeps_no_session_of_the_provider_in_plain_text(desk: Desk, grace: SignedInMember) -> None:
    await signed_in(desk, "s-1")
    await desk.team.accounts.sign_in("grace", "correct horse battery", None, HERE)
    with desk.team.queries.database.read() as tx:
        kept = list(tx.scalars(select(member_session.c.provider_session).order_by(member_session.c.id)))
    assert [len(each) if each else None for each in kept][-2:] == [64, None] and "s-1" not in str(kept)
