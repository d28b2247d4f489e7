"""Members sign in by an OpenID provider, and nothing that a provider or a visitor makes up opens a session."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest
import pytest_asyncio
from pyotp import TOTP

from agent.domain.errors import ProviderInvalid
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.interfaces.web.access import Role
from agent.server.accounts.challenges import LASTS, PER_MINUTE
from agent.server.accounts.oidc.http_client import Fetching
from agent.server.accounts.oidc.provider import KEPT_S, RETRY_S, SEEN_S, Provider
from agent.server.accounts.oidc.provider_check import BAD, findings
from agent.server.accounts.oidc.routes import provider_routes
from agent.server.accounts.oidc.sign_in import ProviderSignIn
from agent.server.accounts.service import FRESH
from tests.support.openid_provider import CLIENT, SECRET, OpenIdProvider, new_key, unsigned
from tests.support.postgres_server import clear
from tests.support.software_authenticator import Authenticator
from tests.support.team_accounts import ORIGIN, PASSWORD, Team

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.support.team_accounts import SignedInMember

BEGIN, FINISH, SECOND = "/api/account/provider/begin", "/api/account/provider/sign-in", "/api/account/provider/second-factor"
LINKS = "/api/account/provider/links"
DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
def database(on_server: Database) -> Iterator[Database]:
    yield on_server
    clear(on_server)


@pytest.fixture(scope="module")
def one_school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    made = OpenIdProvider(tmp_path_factory.mktemp("school"))
    yield made
    made.close()


@pytest.fixture
def school(one_school: OpenIdProvider) -> Iterator[OpenIdProvider]:
    yield one_school
    one_school.reset()


class Desk:
    """A server with that provider, and one browser. `later` moves the clock of what is kept of the provider."""

    def __init__(self, team: Team, school: OpenIdProvider) -> None:
        self.team, self.school = team, school
        self.secret: str | None = SECRET
        self.elapsed = 0.0
        self.provider: Provider | None = None
        self.use()
        accounts = team.accounts
        self.sign_ins = ProviderSignIn(
            team.queries, accounts.ceremonies, accounts.members, accounts.sessions, lambda: self.provider, b"key", lambda: team.time
        )
        provider_routes(team.api, accounts, self.sign_ins)
        self.page = team.client()

    def use(self, fetching: Fetching | None = None, **settings: Any) -> None:
        """Settings of the provider."""
        wanted = self.school.settings(**settings)
        self.provider = Provider(wanted, lambda: self.secret, fetching or Fetching(wanted), time.time, lambda: self.elapsed)

    async def begin(self, path: str = BEGIN, who: SignedInMember | None = None, **more: Any) -> Begun:
        answer = await self.page.post(path, json=more, headers=who.headers if who else {})
        assert answer.status_code == 200, answer.text
        begun = answer.json()
        return Begun(begun["address"], begun["keep"])

    async def back(self, begun: Begun) -> dict[str, str]:
        """What the page sends after the browser was at the provider and came back by our redirect."""
        given = self.school.arrives(begun.address)
        answer = await self.page.get("/provider", params=given)
        assert answer.status_code == 303
        page, _, fragment = answer.headers["location"].partition("#provider/")
        assert page == "/"
        return {name: values[0] for name, values in parse_qs(fragment).items()} | {"keep": begun.keep}

    async def sign_in(self, **changes: str) -> httpx.Response:
        return await self.page.post(FINISH, json=await self.back(await self.begin()) | changes)

    async def refused(self, **changes: str) -> str:
        answer = await self.sign_in(**changes)
        assert answer.status_code in (403, 409, 422, 502), answer.text
        return said(answer)

    async def unlink(self, who: dict[str, str], password: str = PASSWORD, *, issuer: str | None = None) -> httpx.Response:
        wanted = {"issuer": issuer or self.school.issuer}
        return await self.page.request("DELETE", LINKS, params=wanted, json={"password": password}, headers=who)

    async def link(self, who: SignedInMember) -> None:
        begun = await self.begin(f"{LINKS}/begin", who, password=PASSWORD)
        assert parse_qs(urlsplit(begun.address).query)["prompt"] == ["login"]
        answer = await self.page.post(LINKS, json=await self.back(begun), headers=who.headers)
        assert answer.status_code == 204, answer.text

    def record(self) -> list[tuple[str, str]]:
        log = AuditQueries(self.team.queries.database)
        assert log.audit_broken_at() is None
        return [(each.action, each.detail) for each in reversed(log.audit_entries(limit=200))]


@dataclass(frozen=True)
class Begun:
    address: str
    keep: str


@pytest_asyncio.fixture
async def desk(database: Database, school: OpenIdProvider) -> AsyncIterator[Desk]:
    made = Desk(Team(database), school)
    yield made
    await made.page.aclose()
    await made.team.settle()


@pytest_asyncio.fixture
async def ben(desk: Desk) -> SignedInMember:
    return await desk.team.member("ben", Role.VIEWER)


@pytest_asyncio.fixture
async def grace(desk: Desk) -> SignedInMember:
    """A member who linked the account of the one who is signed in at the provider."""
    made = await desk.team.member("grace", Role.VIEWER)
    await desk.link(made)
    return made


def said(answer: httpx.Response) -> str:
    """The code, and what of it."""
    found = answer.json()
    what = found["params"].get("claim") or found["params"].get("what") or found["params"].get("error")
    return f"{found['code']} {what}" if what else str(found["code"])


def me(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return {"authorization": f"Session {answer.json()['signed_in']['key']}"}


async def test_an_account_is_linked_signs_in_and_is_unlinked(desk: Desk, ben: SignedInMember) -> None:
    assert (await desk.page.get("/api/account/provider")).json() == {"name": "School"}
    assert await desk.refused() == "account.not_a_member"
    await desk.link(ben)
    [link] = (await desk.page.get(LINKS, headers=ben.headers)).json()["items"]
    assert (link["label"], link["current"], link["issuer"]) == ("Grace", True, desk.school.issuer)

    address = (await desk.begin()).address
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{desk.school.issuer}/authorize?") and "prompt" not in asked
    assert (asked["redirect_uri"], asked["scope"], asked["code_challenge_method"]) == (f"{ORIGIN}/provider", "openid profile email", "S256")
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3

    signed = await desk.sign_in()
    assert signed.json()["second_factor"] is None and "__Host-ai_popup_8443" in signed.headers["set-cookie"]
    mine = me(signed)
    known = (await desk.page.get("/api/account", headers=mine)).json()
    assert (known["id"], known["role"]) == (ben.member.id, "viewer")

    # Unlinking ends other sessions of that kind, not this one, and not those of the password.
    other = me(await desk.sign_in())
    assert said(await desk.unlink(mine, "")) == "account.old_password_wrong"
    assert (await desk.unlink(mine, issuer="https://elsewhere.example")).status_code == 404
    assert (await desk.unlink(mine)).status_code == 204
    statuses = [(await desk.page.get("/api/account", headers=each)).status_code for each in (mine, other, ben.headers)]
    assert statuses == [200, 401, 200]
    assert await desk.refused() == "account.not_a_member"
    actions = [action for action, _ in desk.record() if action.startswith(("provider", "sign"))]
    signed_in_twice = ["sign_in_failed", "provider_linked", "signed_in", "signed_in"]
    assert actions[-7:] == [*signed_in_twice, "sign_in_failed", "provider_unlinked", "sign_in_failed"]
    assert ("signed_in", "provider") in desk.record()


def statement(desk: Desk) -> dict[str, Any]:
    """Right in all but its nonce."""
    return {"iss": desk.school.issuer, "aud": CLIENT, "sub": "u-1", "iat": int(time.time()), "exp": int(time.time()) + 300, "nonce": "n"}


CLAIMS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"nonce": "made up"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"iss": "https://evil.example"}, "iss"),
    ({"aud": "another client"}, "aud"),
    ({"aud": [CLIENT, "another client"]}, "azp"),
    ({"azp": "another client"}, "azp"),
    ({"exp": 1_000_000_000}, "exp"),
    ({"iat": 1_000_000_000}, "iat"),
    ({"sub": None}, "sub"),
)


@pytest.mark.parametrize(("claims", "claim"), CLAIMS)
async def test_a_wrong_statement_signs_no_one_in(desk: Desk, grace: SignedInMember, claims: dict[str, Any], claim: str) -> None:
    desk.school.claims = claims
    assert await desk.refused() == f"account.id_token_invalid {claim}"
    assert desk.record()[-1][0] == "sign_in_failed"


@pytest.mark.parametrize("ahead_s", [600, -600])
async def test_clocks_that_differ_are_named_to_the_member_and_measured_by_the_check(
    desk: Desk, grace: SignedInMember, ahead_s: int
) -> None:
    assert desk.provider is not None
    desk.school.ahead_s = ahead_s
    refused = await desk.sign_in()
    assert said(refused).startswith("account.id_token_invalid") and "clocks" in refused.json()["cause"]
    [clock] = [each for each in await findings(desk.provider, [ORIGIN], secret=True) if each.key == "clock"]
    assert clock.state == BAD and abs(int(clock.value) - 600) < 60


async def test_a_statement_that_the_provider_did_not_sign_is_worth_nothing(desk: Desk, grace: SignedInMember) -> None:
    right = desk.school.id_token("n")
    desk.school.token = unsigned(statement(desk))
    assert await desk.refused() == "account.id_token_invalid signature"
    desk.school.token = right  # of an earlier sign-in
    assert await desk.refused() == "account.id_token_invalid nonce"
    desk.school.token = None
    # Another account at the same provider is not Grace, whatever else it says of itself.
    desk.school.claims = {"sub": "u-2", "preferred_username": "Grace", "email": "grace@school.example", "email_verified": True}
    assert await desk.refused() == "account.not_a_member"


async def test_a_state_works_once_in_the_page_that_began_and_for_minutes(desk: Desk, grace: SignedInMember) -> None:
    given = await desk.back(await desk.begin())
    assert (await desk.page.post(FINISH, json=given)).status_code == 200
    assert said(await desk.page.post(FINISH, json=given)) == "account.ceremony_gone"  # replayed
    foreign = await desk.begin()
    assert await desk.refused(keep=foreign.keep) == "account.ceremony_gone"  # another page's, as in a forged sign-in
    assert await desk.refused(state="made-up") == "account.ceremony_gone"
    # Another sign-in's code comes with another state, whose proof it does not fit.
    first, second = await desk.back(await desk.begin()), await desk.back(await desk.begin())
    assert said(await desk.page.post(FINISH, json=second | {"code": first["code"]})) == "account.provider_refused invalid_grant"
    late = await desk.back(await desk.begin())
    desk.team.later(LASTS)
    assert said(await desk.page.post(FINISH, json=late)) == "account.ceremony_gone"
    # A state for one purpose is worth nothing for another.
    other = await desk.back(await desk.begin())
    assert said(await desk.page.post(LINKS, json=other, headers=grace.headers)) == "account.ceremony_gone"


async def test_one_member_can_not_finish_what_another_began(desk: Desk, ben: SignedInMember, grace: SignedInMember) -> None:
    begun = await desk.begin(f"{LINKS}/begin", ben, password=PASSWORD)
    assert said(await desk.page.post(LINKS, json=await desk.back(begun), headers=grace.headers)) == "account.ceremony_gone"
    begun = await desk.begin(f"{LINKS}/begin", ben, password=PASSWORD)
    taken = await desk.page.post(LINKS, json=await desk.back(begun), headers=ben.headers)
    assert (taken.status_code, said(taken)) == (409, "account.identity_taken")
    # Begun under another of the server's names: another redirect, another page.
    desk.team.origins.add("https://other.example:8443")
    begun = await desk.begin()
    elsewhere = await desk.page.post(FINISH, json=await desk.back(begun), headers={"host": "other.example:8443"})
    assert said(elsewhere) == "account.ceremony_gone"


async def test_answers_of_another_provider_are_refused(desk: Desk, grace: SignedInMember) -> None:
    assert await desk.refused(iss="https://evil.example") == "account.id_token_invalid iss"
    assert (await desk.sign_in(iss="")).status_code == 200
    desk.school.document = {"authorization_response_iss_parameter_supported": True}
    desk.use()
    assert (await desk.sign_in()).status_code == 200
    assert await desk.refused(iss="") == "account.id_token_invalid iss"
    # The settings were changed to another provider meanwhile.
    given = await desk.back(await desk.begin())
    other = desk.school.settings().model_copy(update={"issuer": "https://other.example"})
    desk.provider = Provider(other, lambda: None, Fetching(other))
    assert said(await desk.page.post(FINISH, json=given)) == "account.ceremony_gone"


async def test_who_says_no_is_told_so(desk: Desk, grace: SignedInMember) -> None:
    desk.school.denies = True
    assert await desk.refused() == "account.provider_refused access_denied"
    answer = await desk.page.get("/provider", params={"error": "<script>", "state": "x", "code": ""})
    assert unquote(answer.headers["location"]) == "/#provider/state=x&error=unknown"
    assert desk.record()[-1][0] != "sign_in_failed"


@pytest.mark.parametrize(
    ("path", "how", "what"),
    [
        (DISCOVERY, "huge", "account.provider_invalid size"),
        (DISCOVERY, "garbage", "account.provider_invalid openid-configuration"),
        (DISCOVERY, "elsewhere", "account.provider_invalid openid-configuration"),
        (DISCOVERY, "slow", "account.provider_unreachable"),
        ("/token", "huge", "account.provider_invalid size"),
        ("/token", "garbage", "account.provider_invalid token"),
        ("/token", "elsewhere", "account.provider_invalid token"),
        ("/token", "slow", "account.provider_unreachable"),
        ("/keys", "huge", "account.provider_invalid size"),
        ("/keys", "elsewhere", "account.provider_invalid keys"),
        ("/keys", "slow", "account.provider_unreachable"),
    ],
)
async def test_a_broken_provider_is_named_and_not_waited_for(desk: Desk, path: str, how: str, what: str) -> None:
    desk.use(time_limit_s=1 if how == "slow" else 10)
    desk.school.broken = {path: how}
    answer = await desk.page.post(BEGIN)
    if path != DISCOVERY:
        answer = await desk.page.post(FINISH, json=await desk.back(Begun(**answer.json())))
    assert (answer.status_code, said(answer)) == (502, what)
    assert "/hidden" not in desk.school.asked


async def test_a_provider_that_is_away_is_not_asked_by_every_visitor(desk: Desk) -> None:
    desk.school.broken = {DISCOVERY: "garbage"}
    assert {said(await desk.page.post(BEGIN)) for _ in range(5)} == {"account.provider_invalid openid-configuration"}
    assert desk.school.asked == [DISCOVERY]
    desk.school.broken = {}
    desk.elapsed += RETRY_S
    assert (await desk.page.post(BEGIN)).status_code == 200
    for _ in range(5):
        assert (await desk.page.post(BEGIN)).status_code == 200
    assert desk.school.asked == [DISCOVERY] * 2
    statuses = [(await desk.page.post(BEGIN)).status_code for _ in range(PER_MINUTE.amount)]
    assert statuses[-1] == 429


async def test_no_browser_is_sent_to_a_provider_that_went_away(desk: Desk, grace: SignedInMember) -> None:
    begun = Begun(**(await desk.page.post(BEGIN)).json())
    desk.school.broken = {DISCOVERY: "garbage"}
    desk.elapsed += SEEN_S
    assert said(await desk.page.post(BEGIN)) == "account.provider_invalid openid-configuration"
    assert (await desk.page.post(FINISH, json=await desk.back(begun))).status_code == 200, "who is on the way comes back"
    desk.school.broken = {}
    desk.elapsed += RETRY_S
    assert (await desk.page.post(BEGIN)).status_code == 200


@pytest.mark.parametrize(
    ("document", "what"),
    [
        ({"issuer": "https://evil.example"}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"token_endpoint": "http://localhost/token"}, "token_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"jwks_uri": ["https://localhost/keys"]}, "jwks_uri"),
        ({"jwks_uri": "https://[broken"}, "jwks_uri"),
        ({"end_session_endpoint": "http://localhost/end"}, "end_session_endpoint"),
    ],
)
async def test_a_wrong_discovery_document_is_refused(desk: Desk, document: dict[str, Any], what: str) -> None:
    desk.school.document = document
    assert said(await desk.page.post(BEGIN)) == f"account.provider_invalid {what}"


async def test_a_provider_outside_has_no_part_inside(desk: Desk) -> None:
    """Its discovery document can't have the server ask the team's own network."""
    port = urlsplit(desk.school.issuer).port
    wanted = desk.school.settings().model_copy(update={"issuer": f"https://id.example:{port}"})
    where = {"id.example": ["8.8.8.8"], "inside.example": ["8.8.4.4", "169.254.169.254"], "localhost": ["127.0.0.1"]}
    outside = Fetching(wanted, lambda host, _: where[host])
    for host in ("inside.example", "localhost"):
        with pytest.raises(ProviderInvalid) as error:
            await outside.get(f"https://{host}:{port}/keys")
        assert error.value.params == {"what": "address"}
    # A provider inside may have parts there; the address that was checked is the one that is asked.
    where |= {"id.example": ["10.0.0.7"]}
    assert "keys" in await Fetching(wanted, lambda host, _: where[host]).get(f"https://localhost:{port}/keys")
    assert desk.school.asked == ["/keys"]


async def test_the_provider_changes_its_keys(desk: Desk, grace: SignedInMember) -> None:
    assert (await desk.sign_in()).status_code == 200
    assert (await desk.sign_in()).status_code == 200
    assert desk.school.asked.count("/keys") == 1
    old, desk.school.key = desk.school.key, new_key("second")
    desk.elapsed += RETRY_S
    assert (await desk.sign_in()).status_code == 200
    assert desk.school.asked.count("/keys") == 2
    # A key that the provider no longer publishes signs nothing, and is not looked for by every visitor.
    desk.school.signs_with = old
    assert await desk.refused() == "account.id_token_invalid signature"
    assert await desk.refused() == "account.id_token_invalid signature"
    assert desk.school.asked.count("/keys") == 2
    desk.school.signs_with = None
    desk.elapsed += KEPT_S
    assert (await desk.sign_in()).status_code == 200
    assert desk.school.asked.count("/keys") == 3


@pytest.mark.parametrize("ways", [["client_secret_basic"], ["client_secret_post"], None])
async def test_the_client_shows_its_secret_as_the_provider_wants_it(desk: Desk, grace: SignedInMember, ways: list[str] | None) -> None:
    desk.school.document = {"token_endpoint_auth_methods_supported": ways}
    desk.use()
    assert (await desk.sign_in()).status_code == 200
    desk.secret = "wrong"
    refused = await desk.sign_in()
    assert said(refused) == "account.provider_refused invalid_client" and "doesn’t accept this server" in refused.json()["cause"]


async def test_a_certificate_that_is_not_trusted_is_told_from_a_provider_that_is_away(desk: Desk) -> None:
    for settings, cause in (({"certificate": ""}, "trusted neither"), ({"issuer": "https://localhost:1"}, "did not answer")):
        desk.provider = Provider(wanted := desk.school.settings().model_copy(update=settings), lambda: None, Fetching(wanted))
        refused = await desk.page.post(BEGIN, json={})
        assert refused.json()["code"] == "account.provider_unreachable" and cause in refused.json()["cause"]


async def test_a_second_factor_is_asked_for_unless_the_provider_did(desk: Desk, grace: SignedInMember) -> None:
    begun = (await desk.page.post("/api/account/second-factor", json={"password": PASSWORD}, headers=grace.headers)).json()
    app = TOTP(begun["secret"])

    def code() -> str:
        return app.at(int(desk.team.time.timestamp()))

    await desk.page.post("/api/account/second-factor", json={"code": code()}, headers=grace.headers)
    desk.team.later(timedelta(minutes=1))
    wanted = (await desk.sign_in()).json()
    assert wanted["signed_in"] is None
    more = wanted["second_factor"]
    assert (more.pop("code"), more.pop("passkey"), more["member"]) == (True, False, grace.member.id)
    assert said(await desk.page.post(SECOND, json=more)) == "account.second_factor_required"
    assert said(await desk.page.post(SECOND, json=more | {"code": "000000"})) == "account.code_wrong"
    assert said(await desk.page.post(SECOND, json=more | {"keep": "other", "code": code()})) == "account.ceremony_gone"
    assert said(await desk.page.post(SECOND, json=more | {"member": "0" * 32, "code": code()})) == "account.ceremony_gone"
    opened = await desk.page.post(SECOND, json=more | {"code": code()})
    assert opened.status_code == 200
    desk.team.later(timedelta(minutes=1))
    assert said(await desk.page.post(SECOND, json=more | {"code": code()})) == "account.ceremony_gone"

    desk.school.claims = {"amr": ["pwd", "mfa"]}
    assert (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()["id"] == grace.member.id
    desk.use(second_factor_values=())
    assert (await desk.sign_in()).json()["signed_in"] is None


async def test_a_passkey_is_the_second_factor_too(desk: Desk, grace: SignedInMember) -> None:
    phone = Authenticator(ORIGIN, "photos.example")
    asked = await desk.page.post("/api/account/passkeys/challenge", json={"password": PASSWORD}, headers=grace.headers)
    made = {"name": "Phone", "credential": phone.create(asked.json()["public_key"])}
    assert (await desk.page.post("/api/account/passkeys", json=made, headers=grace.headers)).status_code == 200
    more = (await desk.sign_in()).json()["second_factor"]
    assert (more.pop("code"), more.pop("passkey")) == (False, True)
    options = (await desk.page.post("/api/account/passkey-challenge", json={"second": True})).json()["public_key"]
    assert (await desk.page.post(SECOND, json=more | {"passkey": phone.get(options)})).status_code == 200


async def test_an_invitation_is_accepted_by_the_provider(desk: Desk) -> None:
    made = await desk.team.accounts.members.add("grace", "Grace", Role.CURATOR)
    token = (await desk.team.accounts.members.invite(made.id)).secret
    begun = await desk.begin(f"/api/invitations/{token}/provider-begin")
    given = await desk.back(begun)
    signed = await desk.page.post(f"/api/invitations/{token}/provider", json=given)
    assert signed.status_code == 200
    mine = {"authorization": f"Session {signed.json()['key']}"}
    known = (await desk.page.get("/api/account", headers=mine)).json()
    assert (known["id"], known["role"], known["password"]) == (made.id, "curator", False)
    assert (await desk.page.get(f"/api/invitations/{token}")).json()["code"] == "account.invitation_gone"
    assert (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()["id"] == made.id

    # It is the only way in: it stays. A change needs a recent sign-in.
    assert said(await desk.unlink(mine)) == "account.last_way_in"
    assert (await desk.page.post(f"{LINKS}/begin", json={}, headers=mine)).status_code == 200
    desk.team.later(FRESH + timedelta(seconds=1))
    assert said(await desk.page.post(f"{LINKS}/begin", json={}, headers=mine)) == "account.sign_in_again"
    assert said(await desk.unlink(mine)) == "account.sign_in_again"


async def test_an_invitation_asks_for_the_second_factor_first(desk: Desk, grace: SignedInMember) -> None:
    begun = (await desk.page.post("/api/account/second-factor", json={"password": PASSWORD}, headers=grace.headers)).json()
    app = TOTP(begun["secret"])
    await desk.page.post("/api/account/second-factor", json={"code": app.at(int(desk.team.time.timestamp()))}, headers=grace.headers)
    desk.team.later(timedelta(minutes=1))
    token = (await desk.team.accounts.members.invite(grace.member.id)).secret
    path = f"/api/invitations/{token}/provider-begin"
    assert said(await desk.page.post(path, json={})) == "account.second_factor_required"
    assert said(await desk.page.post(path, json={"code": "000000"})) == "account.code_wrong"
    given = await desk.back(await desk.begin(path, code=app.at(int(desk.team.time.timestamp()))))
    assert (await desk.page.post(f"/api/invitations/{token}/provider", json=given)).status_code == 200
    # The link to the same account stays one.
    assert len(await desk.sign_ins.of(grace.member.id)) == 1


async def test_unknown_accounts_become_members_only_if_that_is_wanted(desk: Desk) -> None:
    """The name is new each time: no member that exists is ever taken over by one."""
    grace = await desk.team.member("grace", Role.ADMINISTRATOR)
    assert await desk.refused() == "account.not_a_member"
    desk.use(create_members=True, create_domains=("school.example",), roles=("desk=editor",))
    desk.school.claims = {"email": "grace@elsewhere.example", "email_verified": True}
    assert await desk.refused() == "account.not_allowed_here"
    desk.school.claims = {"email": "grace@school.example", "email_verified": True, "groups": ["desk"]}
    known = (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()
    assert (known["name"], known["display_name"], known["role"]) == ("grace-2", "Grace H.", "editor")
    assert known["id"] != grace.member.id
    again = (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()
    assert again["id"] == known["id"]
    assert [action for action, _ in desk.record() if action == "member_added"] == ["member_added"] * 2


async def test_groups_give_the_role_and_let_in(desk: Desk, grace: SignedInMember) -> None:
    desk.use(allowed_groups=("staff",), roles=("chiefs=administrator", "desk=curator"))
    desk.school.claims = {"groups": ["desk"]}
    assert await desk.refused() == "account.not_allowed_here"
    desk.school.claims = {"groups": ["staff", "desk"]}
    assert (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()["role"] == "curator"
    desk.school.claims = {"groups": ["staff", "chiefs"]}
    assert (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()["role"] == "administrator"
    assert ("role_changed", "administrator") in desk.record()
    # The last administrator stays one, and no group leaves the role as it is.
    for groups in (["staff", "desk"], ["staff"]):
        desk.school.claims = {"groups": groups}
        assert (await desk.page.get("/api/account", headers=me(await desk.sign_in()))).json()["role"] == "administrator"


async def test_a_locked_member_is_out_and_an_administrator_unlinks(desk: Desk, grace: SignedInMember) -> None:
    ada = await desk.team.member("ada", Role.ADMINISTRATOR)
    mine = me(await desk.sign_in())
    members = {each["name"]: each["provider"] for each in (await desk.page.get("/api/members", headers=ada.headers)).json()["items"]}
    assert members == {"ada": False, "grace": True}
    where = f"/api/members/{grace.member.id}"
    assert (await desk.page.patch(where, json={"locked": True}, headers=ada.headers)).status_code == 200
    assert (await desk.page.get("/api/account", headers=mine)).status_code == 401
    assert await desk.refused() == "account.not_a_member"
    await desk.page.patch(where, json={"locked": False}, headers=ada.headers)
    mine = me(await desk.sign_in())
    assert (await desk.page.delete(f"{where}/provider", headers=grace.headers)).status_code in (401, 403)
    assert (await desk.page.delete(f"{where}/provider", headers=ada.headers)).status_code == 204
    assert (await desk.page.get("/api/account", headers=mine)).status_code == 401
    assert await desk.refused() == "account.not_a_member"
    assert (await desk.page.delete(f"{where}/provider", headers=ada.headers)).status_code == 404


async def test_another_account_replaces_the_linked_one(desk: Desk, grace: SignedInMember) -> None:
    desk.school.user = {"sub": "u-9", "preferred_username": "grace.hopper"}
    await desk.link(grace)
    assert [each.label for each in await desk.sign_ins.of(grace.member.id)] == ["grace.hopper"]
    assert (await desk.sign_in()).status_code == 200
    desk.school.user = {"sub": "u-1"}
    assert await desk.refused() == "account.not_a_member"


async def test_signing_out_ends_the_session_at_the_provider_too(desk: Desk, grace: SignedInMember) -> None:
    mine = me(await desk.sign_in())
    address = (await desk.page.post("/api/account/provider/sign-out", headers=mine)).json()["address"]
    assert address.startswith(f"{desk.school.issuer}/end?")
    assert parse_qs(urlsplit(address).query) == {"client_id": [CLIENT], "post_logout_redirect_uri": [f"{ORIGIN}/"]}
    assert (await desk.page.get("/api/account", headers=mine)).status_code == 401
    by_password = await desk.page.post("/api/account/provider/sign-out", headers=grace.headers)
    assert by_password.json() == {"address": None}
    mine = me(await desk.sign_in())
    desk.use()
    desk.school.broken = {DISCOVERY: "garbage"}
    assert (await desk.page.post("/api/account/provider/sign-out", headers=mine)).json() == {"address": None}


async def test_without_a_provider_there_is_no_button(desk: Desk, grace: SignedInMember) -> None:
    desk.provider = None
    assert (await desk.page.get("/api/account/provider")).json() == {"name": None}
    off = await desk.page.post(BEGIN)
    assert (off.status_code, said(off)) == (404, "account.provider_off")
    [link] = (await desk.page.get(LINKS, headers=grace.headers)).json()["items"]
    assert not link["current"]


async def test_the_database_keeps_no_name_of_the_provider(desk: Desk, grace: SignedInMember) -> None:
    with desk.team.queries.database.read() as tx:
        [row] = tx.exec_driver_sql("SELECT subject, label FROM provider_link").all()
    assert "u-1" not in row.subject and "Grace" not in row.label
