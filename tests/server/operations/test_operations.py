"""The operations port of a real server: ready when it serves, figures for those who may read them, and not ready before it refuses."""

import re
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from agent.infrastructure.store.open_library import DATABASE_FILE
from tests.server.monitoring import recorded
from tests.support.real_program import WAIT_S
from tests.support.real_server import RealServer
from tests.support.server_load import PASSWORD, desk_of_first

TOKEN = "a token of a file"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def figures_of(text: str) -> dict[tuple[str, ...], float]:
    """By the family's name and the labels' values, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def until(done: Callable[[], bool]) -> None:
    limit = time.monotonic() + WAIT_S
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_a_server_tells_whether_it_is_ready_and_its_figures(tmp_path: Path, models_folder: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    port = free_port()
    environment = {"SERVER__OPERATIONS_PORT": str(port), "SERVER__METRICS_TOKEN_FILE": str(tmp_path / "token"), "SERVER__WORKERS": "0"}
    environment |= {"SERVER__DRAIN_DELAY_S": "300", "LOGS__TARGET": "stdout"}
    server = RealServer(tmp_path, models_folder, {f"AI_POPUP__{name}": value for name, value in environment.items()})
    try:
        server.serve()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=100) as probe:
            assert probe.get("/live").status_code == 200
            until(lambda: probe.get("/ready").status_code == 200)
            assert probe.get("/metrics").status_code == 401
            administrator = desk_of_first(server)
            text = probe.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
            assert recorded.names(next(recorded.scrapes(tmp_path))[1]) - recorded.names(text) == set()  # what the dashboards are tried with
            figures = figures_of(text)
            assert figures["ai_popup_database_up",] == figures["ai_popup_ready", "models"] == 1
            assert figures["ai_popup_requests_total", "POST", "/api/invitations/{token}", "200"] == 1
            assert figures["ai_popup_memory_bytes", "server"] > 10_000_000 and figures["ai_popup_memory_bytes", "postgres"] > 1_000_000
            assert figures["ai_popup_members", "administrator", "active"] == 1
            assert figures["ai_popup_certificate_ends_timestamp_seconds",] > time.time()
            reading, other = (_token(administrator.ask, scope) for scope in ("metrics.read", "photos.read"))
            assert probe.get("/metrics", headers={"Authorization": f"Bearer {other}"}).status_code == 401
            assert probe.get("/metrics", headers={"Authorization": f"Bearer {reading}"}).status_code == 200
            said = server.run("doctor").stdout  # beside it, in another process
            assert "✓ Library: 0 photos" in said and "✓ Server: idle" in said and "Tray" not in said
            assert "✓ Certificate: " in said and not any(each in said for each in ("Public address", "Mail server", "Buckets"))
            found = {each["name"]: each["state"] for each in administrator.ask("POST", "/api/doctor")}
            assert found["certificate"] == "ok" and "address" not in found, "what is not configured is not tried"
            server.environment = {**server.environment, "AI_POPUP__SERVER__ADDRESS": server.address}
            said = server.run("doctor").stdout
            assert re.search(r"✓ Public address: valid until \d{4}-\d\d-\d\d, for \d+ more days", said), said
            assert not (server.paths.library / DATABASE_FILE).exists()  # a desktop's, which commands would take for the library
            assert server.process is not None
            server.process.send_signal(signal.SIGTERM)
            until(lambda: probe.get("/ready").status_code == 503)
            assert probe.get("/ready").json()["checks"]["draining"] is True
            assert probe.get("/live").status_code == 200
            assert administrator.ask("GET", "/api/status")["images"] == 0  # it still serves, so that no request is refused meanwhile
            administrator.leave()
    finally:
        server.kill()
    assert '"event": "server.started"' in (server.paths.runtime / "printed.txt").read_text()
    assert not (server.paths.logs / "server.log").exists()


def _token(ask: Callable[..., dict[str, str]], scope: str) -> str:
    return ask("POST", "/api/account/tokens", {"name": scope, "scopes": [scope], "days": 1, "password": PASSWORD})["token"]
