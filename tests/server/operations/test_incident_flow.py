"""An incident from the first refused password to its end, by the commands of the page "When something happened"."""

import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.server.incidents.queries import IncidentQueries
from tests.support.real_server import RealServer

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@pytest.fixture
def server(tmp_path: Path, models_folder: Path) -> Iterator[RealServer]:
    made = RealServer(tmp_path, models_folder, {"AI_POPUP__SERVER__WORKERS": "0", "AI_POPUP__INCIDENTS__FAILED_SIGN_INS_NETWORK": "3"})
    made.serve()
    yield made
    made.quit()


def said(server: RealServer, *words: str) -> list[Any]:
    done = server.run(*words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def guessing(server: RealServer) -> list[int]:
    return [each["id"] for each in said(server, "incidents", "list", "--json") if each["kind"] == "failed_sign_ins"]


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as read:
        return {name: read.read(name) for name in read.namelist()}


def test_it_is_found_contained_kept_as_evidence_and_closed(server: RealServer, tmp_path: Path) -> None:
    with server.library() as library:  # the rules look at what is done once they are there
        rules = IncidentQueries(library.database)
        server.until(lambda _: rules.cursor() is not None)
    # Detect
    with server.visitor() as visitor:
        for _ in range(3):
            assert visitor.post("/api/account/sign-in", json={"name": "admin", "password": "guessed guessed guessed"}).status_code == 401
    server.until(lambda _: bool(guessing(server)))
    [number] = guessing(server)
    shown = server.run("incidents", "show", str(number)).stdout.splitlines()
    assert sum("sign-in failed" in line for line in shown) == 3 and shown[-1].endswith("ai-popup help failed-sign-ins"), shown
    assert any("  admin  sign-in failed" in line for line in shown), shown
    # Keep evidence
    first = tmp_path / "first.zip"
    [kept] = said(server, "incidents", "bundle", str(number), "-o", str(first), "--json")
    assert kept == {"file": str(first), "sha256": hashlib.sha256(first.read_bytes()).hexdigest(), "record": True}
    files = content(first)
    assert json.loads(files["incident.json"])["incident"]["kind"] == "failed_sign_ins"
    record = [json.loads(line) for line in files["record.jsonl"].splitlines()]
    assert [entry["action"] for entry in record].count("sign_in_failed") == 3
    assert json.loads(files["record-verified.json"])["broken_at"] is None
    manifest = json.loads(files["MANIFEST.json"])
    assert manifest["incident"] == number and any(name.startswith("logs/") for name in manifest["files"])
    assert b"guessed" not in b"".join(files.values()) and str(tmp_path).encode() not in files["settings.json"]
    # ... whose digest is on the record: a file that was changed later is not the one that was kept
    [entry] = said(server, "record", "list", "--action", "incident_evidence", "--json")
    assert (entry["detail"], entry["number"]) == (kept["sha256"], number)
    done = server.run("people", "list")
    assert done.returncode == 1 and "[server.runs]" in done.stderr, "a command that opens the library itself says why it can't"
    # Contain: the server is stopped. Evidence can be kept all the same
    server.quit()
    second = tmp_path / "second.zip"
    [kept] = said(server, "incidents", "bundle", "-o", str(second), "--json")
    assert kept["record"] is False and "record.jsonl" not in content(second)
    # Begin again, check, and close
    server.serve()
    assert said(server, "record", "verify", "--json")[0]["intact"] is True
    assert said(server, "incidents", "close", str(number), "--reason", "handled", "--json")[0]["state"] == "closed"
    assert said(server, "incidents", "reopen", str(number), "--json")[0]["state"] == "open"
    told = server.run("incidents", "bundle", "-o", str(tmp_path / "third.zip")).stdout.splitlines()
    assert len(told) == 2 and told[1].startswith("SHA-256 ")
    assert server.run("incidents", "bundle", "999").returncode == 1, "no such incident"
    assert not list(Path.cwd().glob("*ai-popup-evidence*"))
