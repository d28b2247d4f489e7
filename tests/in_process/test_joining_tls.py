"""Joining a team's server over real TLS: only what was pinned is trusted from then on."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent.desktop.team_client import announced_trust, retry_policy, service
from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.records import Link
from agent.desktop.team_client.service import TeamMembership
from agent.desktop.team_client.team_alerts import NotifiedAlerts, TeamAlerts
from agent.desktop.team_client.team_names import TeamNames
from agent.desktop.team_client.team_session import TeamSession
from agent.domain.edits import DescribePersonEdit
from agent.domain.errors import (
    TeamAddressInvalid,
    TeamAddressUnnamed,
    TeamCertificateChanged,
    TeamCertificateExpired,
    TeamCertificateUnknown,
    TeamMoveUnproven,
    TeamNotAdmitted,
    TeamNotJoined,
    TeamServerNotFound,
)
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.migrator import open_database
from agent.interfaces.web.access import Principal, Role, scopes_of
from agent.interfaces.web.certificates import Certificates, GivenFiles
from agent.interfaces.web.server import Network, serving
from agent.interfaces.web.tls_trust import ServerTrust, Trust, fingerprint_of, pem_of, trusts_system
from agent.server.devices.routes import server_routes
from tests.support.in_process_agent import NOW, World
from tests.support.joined_desktops import SETTINGS, Desk, Server
from tests.support.private_authority import Issued, PrivateAuthority, new_key, self_signed

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

MEI = "Méi 美"


def certificates(folder: Path) -> Certificates:
    made = Certificates(folder, lambda: ("localhost",), lambda: datetime.now(UTC))
    made.load()
    return made


@asynccontextmanager
async def served(api: ASGIApp, folder: Path, by: Certificates | None, port: int = 0) -> AsyncIterator[int]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    network = Network() if by is None else Network(tls=by.context, trusted=by.trusted)
    async with serving(lambda _: api, token="t", port=port, runtime=folder, network=network) as bound:
        yield bound


class Intruder:
    """Answers any request with what is told, and notes them."""

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self.api = Starlette()
        self.api.add_route("/{path:path}", self._noted, methods=["GET", "POST", "DELETE"])

    def _noted(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return self._answer(request)


@pytest_asyncio.fixture
async def worlds(tmp_path: Path) -> AsyncIterator[tuple[Server, Desk]]:
    """A server and a desktop, which follows what it joins over the network."""
    async with AsyncExitStack() as stack:
        made = []
        for name in ("server", "desk"):
            database = await asyncio.to_thread(open_database, tmp_path / f"{name}.db", bytes(32))
            stack.callback(database.close)
            made.append(World(RedactionQueries(database), tmp_path / name))
            made[-1].make(SETTINGS)
            await stack.enter_async_context(made[-1].running())
            await asyncio.wait_for(made[-1].app.prepared.wait(), 60)
        server = Server(made[0])
        stack.enter_context(made[0].app.bus.listening(server.desks.happened))
        desk = Desk(made[1], server)
        app = made[1].app
        desk.membership = TeamMembership(
            desk.library,
            TeamNames(desk.library, app.people, app.consents, app.environment),
            TeamSession(desk.tokens),
            app.environment,
            desk.sharing,
            desk.uploads,
            TeamAlerts(NotifiedAlerts(desk.world.folder), desk.tell),
        )
        yield server, desk
        await server.team.settle()


@pytest.fixture
def desk(worlds: tuple[Server, Desk]) -> Desk:
    return worlds[1]


@asynccontextmanager
async def followed(desk: Desk) -> AsyncIterator[None]:
    """The desk follows its server meanwhile."""
    following = asyncio.create_task(desk.membership.run())
    try:
        yield
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "_FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(service, "_LONGEST_PAUSE_S", 0.05)


async def joined(server: Server, desk: Desk, own: Certificates, port: int) -> None:
    """A member lets the desk join the server that listens there, and it learns of the one person."""
    server_routes(server.team.api, lambda: "photos", "1.2.3", lambda _: ServerTrust(own.fingerprint, own.authority))
    mine = (await server.team.member("mei", Role.CURATOR)).member
    member = Principal("member", mine.id, mine.name, Role.CURATOR, scopes_of(Role.CURATOR))
    server.team.origins = {f"https://localhost:{port}"}
    invitation = await desk.membership.join(f"localhost:{port}")
    assert (invitation.fingerprint, invitation.name) == (own.fingerprint, "photos")
    await server.desks.decide(invitation.user_code, member, allow=True)
    await desk.until(lambda: desk.people() == {MEI: 0} and desk.prints() == 1)


async def test_what_was_pinned_at_joining_is_trusted_and_another_certificate_is_refused(
    worlds: tuple[Server, Desk], tmp_path: Path, impatient: None
) -> None:
    server, desk = worlds
    own, other = certificates(tmp_path / "own"), certificates(tmp_path / "other")
    mei = await server.person(MEI, "m")
    async with followed(desk):
        async with served(server.team.api, tmp_path / "run", own) as port:
            await joined(server, desk, own, port)

        intruder = Intruder(lambda _: JSONResponse({}))
        async with served(intruder.api, tmp_path / "intruder", other, port):
            await desk.until(lambda: isinstance(desk.membership.problem, TeamCertificateChanged))
            await desk.rename(MEI, "Li Mei")
            assert intruder.asked == [], "it learned nothing, not even the token"
            assert desk.prints() == 1 and [each.name for each in desk.library.outbox()] == ["Li Mei"]

        async with served(server.team.api, tmp_path / "run", own, port):
            await desk.until(lambda: server.named() == {"Li Mei"} and desk.membership.problem is None)
            await server.world.app.people.edit(DescribePersonEdit(person_id=mei, name=MEI))
            await desk.until(lambda: MEI in desk.people())


async def test_a_server_that_moved_is_followed_by_its_authority_with_all_that_was_not_sent(
    worlds: tuple[Server, Desk], tmp_path: Path, impatient: None
) -> None:
    server, desk = worlds
    own = certificates(tmp_path / "own")
    await server.person(MEI, "m")
    async with followed(desk):
        async with served(server.team.api, tmp_path / "run", own) as port:
            await joined(server, desk, own, port)
        await desk.until(lambda: desk.membership.problem is not None)
        await desk.rename(MEI, "Li Mei")
        async with served(server.team.api, tmp_path / "run", own) as moved:
            server.team.origins = {f"https://localhost:{moved}"}
            link = await desk.membership.move(f"localhost:{moved}")
            assert (link.address, link.fingerprint) == (f"https://localhost:{moved}", own.fingerprint)
            await desk.until(lambda: server.named() == {"Li Mei"} and not desk.library.outbox() and desk.membership.problem is None)
            assert desk.people() == {"Li Mei": 0} and desk.prints() == 1
            assert desk.library.link().address == link.address  # type: ignore[union-attr]
        assert [each.action for each in desk.world.real.audit_entries(limit=1)] == ["team_moved"]


async def test_what_does_not_prove_to_be_the_server_is_not_followed(worlds: tuple[Server, Desk], tmp_path: Path, impatient: None) -> None:
    server, desk = worlds
    own, other = certificates(tmp_path / "own"), certificates(tmp_path / "other")
    with pytest.raises(TeamNotJoined):
        await desk.membership.move("photos.example")
    await server.person(MEI, "m")
    refusal = {"code": "account.sign_in_required", "cause": "", "remedy": "", "params": {}}
    stranger, another = (Intruder(lambda _: JSONResponse(refusal, status_code=401)) for _ in range(2))
    async with followed(desk), served(server.team.api, tmp_path / "run", own) as port:
        await joined(server, desk, own, port)
        async with served(stranger.api, tmp_path / "stranger", other) as at:
            with pytest.raises(TeamCertificateChanged):
                await desk.membership.move(f"localhost:{at}")
        async with served(another.api, tmp_path / "another", own) as at:  # as of a copy of the server's folder, with other members
            with pytest.raises(TeamNotAdmitted):
                await desk.membership.move(f"localhost:{at}")
            with pytest.raises(TeamAddressUnnamed):
                await desk.membership.move(f"127.0.0.1:{at}")
        with pytest.raises(TeamServerNotFound):
            await desk.membership.move(f"localhost:{at}")
        with pytest.raises(TeamAddressInvalid):
            await desk.membership.move("http://localhost")
        assert stranger.asked == [] and desk.library.link().address == f"https://localhost:{port}"  # type: ignore[union-attr]
        await desk.rename(MEI, "Li Mei")
        await desk.until(lambda: server.named() == {"Li Mei"})


async def test_a_server_that_shows_the_fingerprint_of_another_is_refused_before_it_is_asked_for_anything(
    desk: Desk, tmp_path: Path
) -> None:
    own, shown = certificates(tmp_path / "own"), certificates(tmp_path / "shown")
    told = {"name": "photos", "version": "1", "fingerprint": shown.fingerprint, "authority": shown.authority}
    intruder = Intruder(lambda _: JSONResponse(told))
    async with served(intruder.api, tmp_path / "run", own) as port:
        with pytest.raises(TeamCertificateUnknown) as refused:
            await desk.membership.join(f"localhost:{port}")
    assert refused.value.params == {"expected": shown.fingerprint, "came": own.fingerprint}
    assert intruder.asked == ["/api/server"] and desk.membership.invitation is None


@pytest.mark.parametrize("wrong", [{"expires_in": 10**12}, {"interval": 10**9}, {"user_code": "x/../y"}])
async def test_a_server_that_answers_nonsense_is_no_server(desk: Desk, tmp_path: Path, wrong: dict[str, object]) -> None:
    own = certificates(tmp_path / "own")
    server = {"name": "pho\u202etos\n", "version": "1", "fingerprint": own.fingerprint, "authority": own.authority}
    addresses = dict.fromkeys(("verification_uri", "verification_uri_complete"), "javascript:alert(1)")
    asked = {"device_code": "d", "user_code": "BCDF-GHJK", **addresses, "expires_in": 600, "interval": 2}
    right = Intruder(lambda request: JSONResponse(server if request.url.path == "/api/server" else asked))
    async with served(right.api, tmp_path / "right", own) as port:
        invitation = await desk.membership.join(f"localhost:{port}")
        assert (invitation.name, invitation.page) == ("photos", f"https://localhost:{port}/#join/BCDF-GHJK")
        await desk.membership.cancel()
    intruder = Intruder(lambda request: JSONResponse(server if request.url.path == "/api/server" else asked | wrong))
    async with served(intruder.api, tmp_path / "run", own) as port:
        with pytest.raises(TeamServerNotFound):
            await desk.membership.join(f"localhost:{port}")


async def test_nothing_is_said_without_tls(desk: Desk, tmp_path: Path) -> None:
    own = certificates(tmp_path / "own")
    plain = Intruder(lambda _: JSONResponse({"name": "photos", "version": "1", "fingerprint": "", "authority": own.authority}))
    async with served(plain.api, tmp_path / "plain", None) as port:
        with pytest.raises(TeamAddressInvalid):
            await desk.membership.join(f"http://localhost:{port}")
        with pytest.raises(TeamServerNotFound):
            await desk.membership.join(f"localhost:{port}")
        away = Intruder(lambda _: RedirectResponse(f"http://localhost:{port}/api/server"))
        async with served(away.api, tmp_path / "run", own) as secure:
            with pytest.raises(TeamServerNotFound):
                await desk.membership.join(f"localhost:{secure}")
    assert (plain.asked, away.asked) == ([], ["/api/server"])


async def test_a_server_is_joined_by_the_names_of_its_certificate_alone(worlds: tuple[Server, Desk], tmp_path: Path) -> None:
    server, desk = worlds
    own = certificates(tmp_path / "own")
    server_routes(server.team.api, lambda: "photos", "1.2.3", lambda _: ServerTrust(own.fingerprint, own.authority))
    async with served(server.team.api, tmp_path / "run", own) as port:
        server.team.origins = {f"https://localhost:{port}"}
        with pytest.raises(TeamAddressUnnamed):  # the server itself refuses it
            await desk.membership.join(f"127.0.0.1:{port}")
        server.team.origins |= {f"https://127.0.0.1:{port}"}
        with pytest.raises(TeamAddressUnnamed):  # behind a certificate from elsewhere, say
            await desk.membership.join(f"127.0.0.1:{port}")


def given(folder: Path, issued: Issued) -> Certificates:
    """A server's certificate from elsewhere."""
    file = issued.write(folder / "given.pem")
    made = Certificates(folder / "own", lambda: ("localhost",), lambda: datetime.now(UTC), GivenFiles(file, file))
    made.load()
    return made


OFFICE = PrivateAuthority()
KEY = new_key()


@pytest.mark.parametrize(
    ("before", "after", "authority"),
    [
        (OFFICE.issue(KEY), OFFICE.issue(KEY), True),
        (OFFICE.issue(), OFFICE.issue(), True),
        (OFFICE.issue(), PrivateAuthority(OFFICE.key).issue(), True),
        (OFFICE.issue(), OFFICE.issue(alone=True), True),
        (OFFICE.issue(KEY, alone=True), OFFICE.issue(KEY, alone=True), False),
        (OFFICE.issue(KEY, alone=True), OFFICE.issue(KEY), False),
        (self_signed(KEY), self_signed(KEY), False),
    ],
    ids=["same key", "new key", "authority renewed", "chain cut", "leaf alone, same key", "chain added", "self-signed, same key"],
)
async def test_a_renewed_certificate_by_a_pinned_key_is_trusted(tmp_path: Path, before: Issued, after: Issued, *, authority: bool) -> None:
    own = given(tmp_path, before)
    pinned = own.authority
    assert own.fingerprint == (OFFICE.fingerprint if authority else fingerprint_of(before.chain[0]))
    server = Intruder(lambda _: JSONResponse({}))
    after.write(tmp_path / "given.pem")
    own.load()
    async with served(server.api, tmp_path / "run", own) as port, TeamConnection.to(f"https://localhost:{port}", pinned) as line:
        await line.leave()
        await line.leave()
    assert server.asked == ["/api/desk"] * 2


@pytest.mark.parametrize(
    ("before", "after"),
    [(OFFICE.issue(KEY), PrivateAuthority().issue(KEY)), (self_signed(), self_signed()), (OFFICE.issue(alone=True), OFFICE.issue())],
    ids=["another authority", "self-signed, new key", "leaf alone, new key"],
)
async def test_a_certificate_by_another_key_is_refused_with_both_fingerprints(tmp_path: Path, before: Issued, after: Issued) -> None:
    pinned = given(tmp_path, before)
    server = Intruder(lambda _: JSONResponse({}))
    shown = given(tmp_path, after)
    async with (
        served(server.api, tmp_path / "run", shown) as port,
        TeamConnection.to(f"https://localhost:{port}", pinned.authority) as line,
    ):
        with pytest.raises(TeamCertificateChanged) as refused:
            await line.leave()
    assert refused.value.params == {"expected": pinned.fingerprint, "came": shown.fingerprint}
    assert server.asked == []


async def test_an_earlier_pin_of_the_certificate_itself_holds_as_long_as_its_key(tmp_path: Path) -> None:
    pinned = pem_of(OFFICE.issue(KEY).chain[0])
    server = Intruder(lambda _: JSONResponse({}))
    own = given(tmp_path, OFFICE.issue(KEY))
    async with served(server.api, tmp_path / "run", own) as port, TeamConnection.to(f"https://localhost:{port}", pinned) as line:
        await line.leave()
    assert server.asked == ["/api/desk"]


async def test_an_expired_certificate_is_called_that(tmp_path: Path) -> None:
    own = given(tmp_path, OFFICE.issue())
    pinned, expired = own.authority, OFFICE.issue(lasts=timedelta(days=-1)).write(tmp_path / "expired.pem")
    own.context.load_cert_chain(expired)
    server = Intruder(lambda _: JSONResponse({}))
    async with served(server.api, tmp_path / "run", own) as port, TeamConnection.to(f"https://localhost:{port}", pinned) as line:
        with pytest.raises(TeamCertificateExpired):
            await line.leave()
    assert server.asked == []


async def test_what_the_system_trusts_needs_no_pin_and_is_no_pin(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    (tmp_path / "system.pem").write_text(OFFICE.pem)
    own = given(tmp_path, OFFICE.issue())
    told = {"name": "photos", "version": "1", "fingerprint": "AB:CD", "authority": certificates(tmp_path / "behind").authority}
    addresses = dict.fromkeys(("verification_uri", "verification_uri_complete"), "")
    asked = {"device_code": "d", "user_code": "BCDF-GHJK", **addresses, "expires_in": 600, "interval": 2}
    server = Intruder(lambda request: JSONResponse(told if request.url.path == "/api/server" else asked))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
    async with served(server.api, tmp_path / "run", own) as port:
        invitation = await desk.membership.join(f"localhost:{port}")
        await desk.membership.cancel()
        assert (invitation.system, invitation.authority) == (True, "system\n")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
        async with TeamConnection.to(f"https://localhost:{port}", invitation.authority) as line:
            with pytest.raises(TeamCertificateChanged) as refused:
                await line.leave()
    assert refused.value.params == {"system": 1, "came": OFFICE.fingerprint}


async def test_under_another_name_a_server_that_the_system_trusts_is_not_followed(desk: Desk) -> None:
    await asyncio.to_thread(desk.tokens.write, "ab" * 16, "token")
    link = Link("ab" * 16, "https://photos.example:8443", "photos", "AB", "system\n", "mei", may_name=True)
    await asyncio.to_thread(lambda: desk.library.join(link, now=NOW))
    with pytest.raises(TeamMoveUnproven):
        await desk.membership.move("other.example")


class Announcing:
    """A team's server behind a certificate that changes, and what it tells."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.told = ServerTrust("", "")
        self._server = server
        self._folder = folder
        server_routes(server.team.api, lambda: "photos", "1", lambda _: self.told)

    @asynccontextmanager
    async def shows(self, issued: Issued, port: int = 0) -> AsyncIterator[int]:
        async with served(self._server.team.api, self._folder / "run", given(self._folder, issued), port) as bound:
            self._server.team.origins = {f"https://localhost:{bound}"}
            yield bound


async def let_in(server: Server, desk: Desk, port: int) -> None:
    mine = (await server.team.member("mei", Role.CURATOR)).member
    invitation = await desk.membership.join(f"localhost:{port}")
    await server.desks.decide(
        invitation.user_code, Principal("member", mine.id, mine.name, Role.CURATOR, scopes_of(Role.CURATOR)), allow=True
    )
    await desk.until(lambda: desk.library.link() is not None)


def trusted(desk: Desk) -> set[str]:
    link = desk.library.link()
    assert link is not None
    return set(Trust.parse(link.authority).certificates)


async def test_an_announced_change_of_authority_evicts_nobody_and_the_old_one_is_dropped(
    worlds: tuple[Server, Desk], tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_trust, "LOOK_S", 0.05)
    server, desk = worlds
    old, new = PrivateAuthority(), PrivateAuthority()
    announcing = Announcing(server, tmp_path)
    announcing.told = ServerTrust(old.fingerprint, old.pem, (old.pem,))
    async with followed(desk):
        async with announcing.shows(old.issue()) as port:
            await let_in(server, desk, port)
            assert trusted(desk) == {old.pem}
            announcing.told = ServerTrust(old.fingerprint, old.pem, (new.pem,))
            await desk.until(lambda: trusted(desk) == {old.pem, new.pem})
        async with announcing.shows(new.issue(), port):
            announcing.told = ServerTrust(new.fingerprint, new.pem, (new.pem,))
            await desk.until(lambda: trusted(desk) == {new.pem})
            assert desk.library.link().fingerprint == new.fingerprint  # type: ignore[union-attr]
            await desk.until(lambda: desk.membership.problem is None)
        async with announcing.shows(old.issue(), port):
            await desk.until(lambda: isinstance(desk.membership.problem, TeamCertificateChanged))
    assert {each.action for each in desk.world.real.audit_entries(limit=9)} >= {"team_joined", "team_trust_changed"}


async def test_a_pin_of_a_public_certificate_gives_way_to_the_systems_trust_and_a_private_one_stays(
    worlds: tuple[Server, Desk], tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_trust, "LOOK_S", 0.05)
    server, desk = worlds
    announcing = Announcing(server, tmp_path)
    leaf = OFFICE.issue(alone=True)
    announcing.told = ServerTrust("AB", pem_of(leaf.chain[0]))
    async with followed(desk):
        async with announcing.shows(leaf) as port:
            await let_in(server, desk, port)
            assert trusted(desk) == {pem_of(leaf.chain[0])}, "as it joined before the system's trust counted"
            (tmp_path / "system.pem").write_text(OFFICE.pem)
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "system.pem"))
            await desk.until(lambda: trusts_system(desk.library.link().authority))  # type: ignore[union-attr]
        async with announcing.shows(OFFICE.issue(alone=True), port):
            desk.membership.seen_at = None
            await desk.until(lambda: desk.membership.seen_at is not None and desk.membership.problem is None)


async def test_a_desktop_that_joined_before_takes_the_pin_of_the_authority(
    worlds: tuple[Server, Desk], tmp_path: Path, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announced_trust, "LOOK_S", 0.05)
    server, desk = worlds
    announcing = Announcing(server, tmp_path)
    leaf = OFFICE.issue()
    announcing.told = ServerTrust("AB", pem_of(leaf.chain[0]))  # as earlier servers told it, without more
    async with followed(desk):
        async with announcing.shows(leaf) as port:
            await let_in(server, desk, port)
        assert trusted(desk) == {pem_of(leaf.chain[0])}
        announcing.told = ServerTrust(OFFICE.fingerprint, OFFICE.pem, (OFFICE.pem,))
        async with announcing.shows(leaf, port):
            await desk.until(lambda: trusted(desk) == {OFFICE.pem})
        async with announcing.shows(OFFICE.issue(), port):
            desk.membership.seen_at = None
            await desk.until(lambda: desk.membership.seen_at is not None and desk.membership.problem is None)


@pytest.mark.parametrize("issued", [OFFICE.issue(), OFFICE.issue(alone=True), self_signed()])
async def test_an_earlier_desktop_is_content_with_what_it_is_told(tmp_path: Path, issued: Issued) -> None:
    own = given(tmp_path, issued)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # as version 0.1 made it
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=own.authority)
    server = Intruder(lambda _: JSONResponse({}))
    async with served(server.api, tmp_path / "run", own) as port, httpx.AsyncClient(verify=context, trust_env=False) as client:
        assert (await client.get(f"https://localhost:{port}/api/server")).status_code == 200
    der = ssl.PEM_cert_to_DER_cert(own.authority)
    assert hashlib.sha256(der).digest().hex(":").upper() == own.fingerprint
