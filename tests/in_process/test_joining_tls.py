"""Joining a team's server over real TLS: only what was pinned is trusted from then on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response

from agent.desktop.team_client import retry_policy, service
from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.service import TeamMembership
from agent.desktop.team_client.team_alerts import NotifiedAlerts, TeamAlerts
from agent.desktop.team_client.team_names import TeamNames
from agent.desktop.team_client.team_session import TeamSession
from agent.domain.edits import DescribePersonEdit
from agent.domain.errors import (
    TeamAddressInvalid,
    TeamAddressUnnamed,
    TeamCertificateChanged,
    TeamNotAdmitted,
    TeamNotJoined,
    TeamServerNotFound,
)
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.migrator import open_database
from agent.interfaces.web.access import Principal, Role, scopes_of
from agent.interfaces.web.certificates import SERVER_FILE, Certificates, GivenFiles
from agent.interfaces.web.server import Network, serving
from agent.server.devices.routes import server_routes
from tests.support.in_process_agent import World
from tests.support.joined_desktops import SETTINGS, Desk, Server

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
    server_routes(server.team.api, lambda: "photos", "1.2.3", lambda: (own.fingerprint, own.authority))
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
        with pytest.raises(TeamCertificateChanged):
            await desk.membership.join(f"localhost:{port}")
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
    server_routes(server.team.api, lambda: "photos", "1.2.3", lambda: (own.fingerprint, own.authority))
    async with served(server.team.api, tmp_path / "run", own) as port:
        server.team.origins = {f"https://localhost:{port}"}
        with pytest.raises(TeamAddressUnnamed):  # the server itself refuses it
            await desk.membership.join(f"127.0.0.1:{port}")
        server.team.origins |= {f"https://127.0.0.1:{port}"}
        with pytest.raises(TeamAddressUnnamed):  # behind a certificate from elsewhere, say
            await desk.membership.join(f"127.0.0.1:{port}")


async def test_a_certificate_from_elsewhere_is_trusted_itself_and_not_its_successor(tmp_path: Path) -> None:
    made = certificates(tmp_path / "elsewhere")
    file = tmp_path / "elsewhere" / SERVER_FILE  # with its key, and signed by an authority that the desktop does not know
    given = Certificates(tmp_path / "own", lambda: ("localhost",), lambda: datetime.now(UTC), GivenFiles(file, file))
    given.load()
    server = Intruder(lambda _: JSONResponse({}))
    async with served(server.api, tmp_path / "run", given) as port, TeamConnection.to(f"https://localhost:{port}", given.authority) as line:
        await line.leave()
    assert server.asked == ["/api/desk"]

    pinned = given.authority
    file.unlink()
    made.load()  # another one, by the same authority
    given.load()
    assert given.authority != pinned
    async with served(server.api, tmp_path / "run", given) as port, TeamConnection.to(f"https://localhost:{port}", pinned) as line:
        with pytest.raises(TeamCertificateChanged):
            await line.leave()
    assert server.asked == ["/api/desk"]
