"""A team's server from its first start: photos come in while it, and its database, are killed."""

import shutil
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from agent.domain.events import ImageIndexed
from tests.support.journey import Journey
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]
DESKTOP = ("pystray", "PySide6", "webview", "mss", "desktop_notifier", "Xlib")


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {})
    yield made
    made.quit()


def test_sixty_photos_are_there_once_although_server_and_database_were_killed(
    server: RealServer, samples_folder: Path, tmp_path: Path
) -> None:
    server.serve()
    with server.visitor() as visitor:
        told = visitor.get("/api/server").json()
        assert (told["fingerprint"], told["name"]) == (server.reached["fingerprint"], server.reached["name"])
        refused = visitor.get("/api/images")
        assert (refused.status_code, refused.json()["code"]) == (401, "account.sign_in_required")
        assert "max-age" in refused.headers["strict-transport-security"]
        assert "<title>" in visitor.get("/").text
    with pytest.raises(httpx.ConnectError, match="certificate"):
        httpx.get(f"{server.address}/api/server", trust_env=False)  # which trusts what the system trusts

    album = Journey(server, samples_folder, tmp_path).album("holiday", faces=20, plain=40)
    for photo in sorted(album.iterdir()):
        shutil.copyfile(photo, server.watched / photo.name)
    server.until(lambda status: status.images >= 10)
    database = server.postgres()
    server.kill()
    database.kill()
    server.serve()
    server.until(lambda status: status.images >= 30)
    server.postgres().kill()  # server and worker live on, and forget nothing that they were told was written
    server.settled(60)
    with server.library() as library:
        indexed = Counter(each.event.image_id for each in library.events(after=0, limit=10_000) if isinstance(each.event, ImageIndexed))
        assert (library.counts().images, library.counts().faces) == (60, 20)
    assert (len(indexed), set(indexed.values())) == (60, {1})
    assert (server.home / "errors.txt").read_text() == ""


def test_a_killed_database_is_started_again_and_the_server_goes_on(server: RealServer) -> None:
    server.serve()
    killed = server.postgres()
    killed.kill()
    psutil.wait_procs([killed], 100)
    server.until(lambda _: server.postgres().is_running() and server.postgres().pid != killed.pid)
    with server.library() as library:
        assert library.counts().images == 0
    server.until(lambda status: status.problem is None)


def test_browsers_are_sent_on_from_plain_http(tmp_path: Path, models_folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__HTTP_PORT": str(port), "AI_POPUP__SERVER__WORKERS": "0"})
    server.serve()
    try:
        answer = httpx.get(f"http://localhost:{port}/people", trust_env=False)
        assert (answer.status_code, answer.headers["location"]) == (308, f"{server.address}/people")
    finally:
        server.quit()


def test_it_ends_in_order_and_leaves_no_process(server: RealServer) -> None:
    server.serve()
    assert server.process is not None
    log = server.paths.logs / "worker-worker-1.log"
    server.until(lambda _: log.exists() and "worker.started" in log.read_text())
    database, children = server.postgres(), server.children()
    server.process.terminate()
    assert server.process.wait(100) == 0
    assert (server.home / "errors.txt").read_text() == "Finishing what is running…\n"  # nothing of its workers, either
    assert not database.is_running() and not any(each.is_running() for each in children)
    assert not (server.paths.data / "postgres" / "cluster" / "data" / "postmaster.pid").exists()


def test_it_loads_nothing_of_a_desktop(server: RealServer) -> None:
    server.serve()
    assert server.process is not None
    loaded = [each.path for each in psutil.Process(server.process.pid).memory_maps()]
    assert not any(name in path for name in DESKTOP for path in loaded)


def test_its_administrator_is_invited_until_the_password_is_set(server: RealServer) -> None:
    server.serve()
    first = server.reached["invitation"]
    server.quit()
    server.serve()
    link, file = server.reached["invitation"], Path(server.reached["invitation_file"])
    assert link != first and file.stat().st_mode & 0o777 == 0o600
    secret = link.rpartition("/")[2]
    with server.visitor() as visitor:
        assert visitor.get(f"/api/invitations/{first.rpartition('/')[2]}").status_code == 404
        signed_in = visitor.post(f"/api/invitations/{secret}", json={"password": "correct horse battery"})
        assert signed_in.status_code == 200, signed_in.text
        cookie = signed_in.headers["set-cookie"]
        assert "Secure" in cookie and "HttpOnly" in cookie and "SameSite=strict" in cookie
        visitor.headers["authorization"] = f"Session {signed_in.json()['key']}"
        assert visitor.get("/api/images").json()["items"] == []
    server.quit()
    server.serve()
    assert server.reached["invitation"] is server.reached["invitation_file"] is None and not file.exists()
