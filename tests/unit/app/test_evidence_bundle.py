"""The file with an incident's evidence: whole or not there, readable by its owner only, with a manifest that can be checked."""

import hashlib
import json
import os
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.app.evidence_bundle import MANIFEST, EvidenceBundle, logs_since, pieces_of


def test_the_manifest_names_each_file_with_its_digest(tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    with EvidenceBundle(target) as made:
        made.add("record.jsonl", [b"one\n", b"two\n"])
        made.add_json("incident.json", {"kind": "刷新"})
        digest = made.finish({"incident": 4})
    assert hashlib.sha256(target.read_bytes()).hexdigest() == digest
    with zipfile.ZipFile(target) as read:
        manifest = json.loads(read.read(MANIFEST))
        assert manifest["incident"] == 4 and set(manifest["files"]) == {"record.jsonl", "incident.json"}
        for name, facts in manifest["files"].items():
            content = read.read(name)
            assert facts == {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    if sys.platform != "win32":
        assert target.stat().st_mode & 0o777 == 0o600


def test_one_that_breaks_off_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "evidence.zip"
    target.write_bytes(b"earlier evidence")

    def abort_running() -> None:
        with EvidenceBundle(target) as made:
            made.add("record.jsonl", [b"half"])
            raise ConnectionError

    with pytest.raises(ConnectionError):
        abort_running()
    assert [each.name for each in tmp_path.iterdir()] == ["evidence.zip"] and target.read_bytes() == b"earlier evidence"


def test_a_log_that_grows_is_kept_as_long_as_it_was(tmp_path: Path) -> None:
    log = tmp_path / "agent.log"
    log.write_bytes(b"x" * 10)
    pieces = pieces_of(log)
    with log.open("ab") as file:
        file.write(b"y")
    assert b"".join(pieces) == b"x" * 10 + b"y", "its length is read when reading begins"
    endless = pieces_of(log)
    first = next(endless)
    log.write_bytes(b"z" * 100)
    assert len(first + b"".join(endless)) == 11


def test_only_logs_of_the_time_are_kept(tmp_path: Path) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    for name, age in (("agent.log", 0), ("agent.log.1", 2), ("agent.log.2", 30)):
        path = tmp_path / name
        path.write_bytes(b"{}")
        os.utime(path, (at := (now - timedelta(hours=age)).timestamp(), at))
    assert [log.name for log in logs_since(tmp_path, now - timedelta(hours=24))] == ["agent.log", "agent.log.1"]
