"""A desktop joins a team's server and stays joined while certificates are renewed, by real processes."""

import shutil
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from agent.desktop.team_client.queries import TeamQueries
from agent.interfaces.web.tls_trust import Trust
from tests.support.journey import PORTRAITS
from tests.support.journey_desktop import RECOGNISES, Desk, administrator, awaited, let_in
from tests.support.private_authority import Issued, PrivateAuthority, new_key
from tests.support.real_server import RealServer
from tests.support.tls_proxy import TlsProxy

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
ALONE = {"AI_POPUP__SERVER__WORKERS": "0", "AI_POPUP__SERVER__ANNOUNCE": "false", "AI_POPUP__SERVER__DRAIN_S": "1"}
_, ANOTHER, AT_A_DESK = PORTRAITS["Barack"]
KEY = new_key()


def made_server(root: Path, models: Path, environment: Mapping[str, str]) -> RealServer:
    root.mkdir()
    return RealServer(root, models, {**ALONE, **environment})


@contextmanager
def member_at(server: RealServer, authority: PrivateAuthority, address: str = "") -> Iterator[httpx.Client]:
    """An administrator in a browser that trusts that authority."""
    trust = ssl.create_default_context(cadata=authority.pem)
    with httpx.Client(base_url=address or server.address, verify=trust, trust_env=False, timeout=100) as client:
        administrator(server, client)
        yield client


def follows(desk: Desk, since: datetime) -> bool:
    """Whether it had an answer of its server since then."""
    team = desk.team()
    return team["problem"] is None and datetime.fromisoformat(team["seen_at"] or "1970-01-01T00:00:00+00:00") > since


def reaches(desk: Desk) -> bool:
    """Whether it gets an answer by a new connection."""
    with desk.program.api() as api:
        return api.get("/team/libraries").status_code == 200


def pinned(desk: Desk) -> set[str]:
    with desk.program.library() as library:
        link = TeamQueries(library.database).link()
    assert link is not None
    return set(Trust.parse(link.authority).certificates)


def refuses(desk: Desk, code: str) -> bool:
    team = desk.team()
    return team["state"] == "joined" and (team["problem"] or {}).get("code") == code


@dataclass
class Office:
    """A server behind a proxy that ends TLS, and a desktop that reaches the server by that alone."""

    server: RealServer
    proxy: TlsProxy
    desk: Desk
    authority: PrivateAuthority

    def join(self) -> None:
        with member_at(self.server, self.authority, self.proxy.address) as member:
            self.desk.join(self.server, lambda code: let_in(member, code), self.proxy.address)

    def show(self, issued: Issued) -> datetime:
        """Let the proxy show another certificate from now on, to the desktop, too; return when."""
        issued.write(self.proxy.file)
        self.proxy.restart()
        return datetime.now(UTC)


@contextmanager
def office_in(
    folder: Path,
    models: Path,
    photo: Path | None = None,
    authority: PrivateAuthority | None = None,
    engine: Mapping[str, str] = RECOGNISES,
    **settings: str,
) -> Iterator[Office]:
    authority, port = authority or PrivateAuthority(), free_port()
    named = {f"AI_POPUP__SERVER__{name.upper()}": value for name, value in settings.items()}
    with ExitStack() as stack:
        proxy = stack.enter_context(TlsProxy(authority.issue(KEY).write(folder / "proxy.pem"), port))
        own = {"AI_POPUP__SERVER__ADDRESS": proxy.address, "AI_POPUP__SERVER__PORT": str(port)}
        server = made_server(folder / "server", models, {**named, **own, **engine})
        stack.callback(server.quit)
        server.begin()
        desk = stack.enter_context(Desk(folder / "desk", models, photo, engine))
        server.wait()
        desk.program.until(lambda _: True)
        yield Office(server, proxy, desk, authority)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.smoke
def test_a_desktop_joins_through_a_proxy_and_stays_through_a_renewal(tmp_path: Path, models_folder: Path) -> None:
    with office_in(tmp_path, models_folder, engine={}) as office:
        assert office.server.reached["fingerprint"] == office.authority.fingerprint, "seen at the public address"
        office.join()
        office.show(office.authority.issue(KEY))
        awaited(lambda: reaches(office.desk))


def test_what_is_shared_goes_through_the_proxy_and_each_renewal(tmp_path: Path, models_folder: Path, samples_folder: Path) -> None:
    with office_in(tmp_path, models_folder, samples_folder / AT_A_DESK) as office:
        office.join()
        desk = office.desk
        desk.program.settled(1)
        assert desk.program.run("folders", "share", str(desk.program.watched), "results").returncode == 0
        awaited(lambda: desk.team()["sharing"]["sent"] == 1)

        since = office.show(office.authority.issue())
        awaited(lambda: follows(desk, since))

        office.show(office.authority.issue(lasts=timedelta(days=-1)))
        awaited(lambda: refuses(desk, "team.certificate_expired"))
        office.show(PrivateAuthority().issue())
        awaited(lambda: refuses(desk, "team.certificate_changed"))
        params = desk.team()["problem"]["params"]
        assert params["expected"] == office.authority.fingerprint != params["came"]
        shutil.copyfile(samples_folder / ANOTHER, desk.program.watched / "later.jpg")
        desk.program.settled(2)

        since = office.show(office.authority.issue())
        awaited(lambda: follows(desk, since) and desk.team()["sharing"]["sent"] == 2)


def test_an_announced_change_of_authority_evicts_nobody(tmp_path: Path, models_folder: Path) -> None:
    old, new, public = PrivateAuthority(), PrivateAuthority(), tmp_path / "public.pem"
    public.write_text(old.pem)
    with office_in(tmp_path, models_folder, authority=old, public_certificate=str(public)) as office:
        server, desk = office.server, office.desk
        office.join()
        assert pinned(desk) == {old.pem}

        public.write_text(old.pem + new.pem)
        awaited(lambda: pinned(desk) == {old.pem, new.pem})  # which asks once a minute
        since = office.show(new.issue())
        awaited(lambda: follows(desk, since))
        public.write_text(new.pem)
        awaited(lambda: pinned(desk) == {new.pem})

        office.show(old.issue())
        awaited(lambda: refuses(desk, "team.certificate_changed"))
        params = desk.team()["problem"]["params"]
        assert params == {"expected": new.fingerprint, "came": old.fingerprint}
        assert server.reached["fingerprint"] == old.fingerprint


def test_renewals_of_a_servers_own_files_evict_nobody(tmp_path: Path, models_folder: Path) -> None:
    office, key, file = PrivateAuthority(), new_key(), tmp_path / "server.pem"
    office.issue(key).write(file)
    named = {"AI_POPUP__SERVER__CERTIFICATE": str(file), "AI_POPUP__SERVER__PRIVATE_KEY": str(file)}
    server = made_server(tmp_path / "server", models_folder, {**named, **RECOGNISES})
    server.serve()
    try:
        server.environment["AI_POPUP__SERVER__PORT"] = server.address.rpartition(":")[2]
        with Desk(tmp_path / "desk", models_folder) as desk:
            desk.program.until(lambda _: True)
            with member_at(server, office) as member:
                assert server.reached["fingerprint"] == office.fingerprint
                desk.join(server, lambda code: let_in(member, code))
            for renewed in (office.issue(key), office.issue()):
                _restarted(server, renewed, file)
                since = datetime.now(UTC)
                awaited(lambda since=since: follows(desk, since))  # type: ignore[misc]
            _restarted(server, PrivateAuthority().issue(), file)
            awaited(lambda: refuses(desk, "team.certificate_changed"))
            params = desk.team()["problem"]["params"]
            assert params == {"expected": office.fingerprint, "came": server.reached["fingerprint"]}
            _restarted(server, office.issue(), file)
            since = datetime.now(UTC)
            awaited(lambda: follows(desk, since))
    finally:
        server.quit()


def _restarted(server: RealServer, issued: Issued, file: Path) -> None:
    server.kill()
    issued.write(file)
    server.serve()
