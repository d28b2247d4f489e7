"""Watched folders and files that could not be scanned, from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import httpx
import pytest

from agent.domain.errors import ImageCorrupt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent


def test_folders_are_added_listed_and_removed(cli: CommandLine, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    assert "folders add" in cli("folders", "list").err
    said = cli("folders", "add", str(one), str(other))
    assert said.code == 0 and said.out == f"Watching {one}\nWatching {other}\n"
    assert cli("folders", "add", str(one)).out == f"Already watched: {one}\n"
    assert cli("folders", "list").out == f"{one}\n{other}\n"
    lines = [json.loads(line) for line in cli("folders", "list", "--json").out.splitlines()]
    assert [line["path"] for line in lines] == [str(one), str(other)] and lines[0]["problem"] is None
    said = cli("folders", "remove", str(one), "--dry-run")
    assert "No photo would leave" in said.out and str(one) in cli("folders", "list").out
    assert cli("folders", "remove", str(one)).code == 0 and cli("folders", "list").out == f"{other}\n"
    said = cli("folders", "remove", str(one))
    assert said.code == 1 and "is not watched" in said.err


def test_a_folder_that_is_gone_can_be_removed_and_none_that_is_not_there_added(cli: CommandLine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    cli("folders", "add", str(gone))
    gone.rmdir()
    assert cli("folders", "add", str(gone)).code == 2
    assert cli("folders", "remove", str(gone)).code == 0


def test_what_is_wrong_with_a_folder_is_told_by_the_running_agent(cli: CommandLine, running_agent: FakeAgent, tmp_path: Path) -> None:
    from tests.unit.interfaces.cli.test_main_commands import PROBLEM, STATUS

    cli("folders", "add", str(tmp_path))
    watched = [{"path": str(tmp_path), "name": "photos", "problem": PROBLEM}]
    running_agent.answers["/api/status"] = httpx.Response(200, json={**STATUS, "folders": watched})
    said = cli("folders", "list")
    assert said.out == f"{tmp_path}\n" and "[model.missing]" in said.err
    assert json.loads(cli("folders", "list", "--json").out)["problem"] == "model.missing"


def test_a_running_server_is_asked_to_remove_a_folder(cli: CommandLine, running_agent: FakeAgent, tmp_path: Path) -> None:
    watched = tmp_path / "a b"
    watched.mkdir()
    cli("folders", "add", str(watched))
    (cli.paths.data / "postgres").mkdir()
    running_agent.answers["/api/folders"] = httpx.Response(200, json={"photos": 3, "days": 30})

    tried = cli("folders", "remove", str(watched), "--dry-run")
    removed = cli("folders", "remove", str(watched))

    assert (tried.code, removed.code) == (0, 0) and "3 photos" in tried.out and "3 photos" in removed.out
    assert running_agent.asked == ["DELETE /api/folders"] * 2
    asked = [parse_qs(each) for each in running_agent.queries]
    assert asked == [{"path": [str(watched)], "dry_run": [dry]} for dry in ("1", "0")]


@pytest.fixture
def failed(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path) -> Path:
    """A photo that could not be scanned."""
    bad = tmp_path / "photos" / "bad.jpg"
    bad.parent.mkdir()
    bad.write_bytes(b"bad")
    analyser.errors[str(bad)] = [ImageCorrupt()]
    cli("scan", str(bad.parent))
    return bad


def test_files_that_could_not_be_scanned_are_listed_with_cause_and_remedy(cli: CommandLine, failed: Path) -> None:
    said = cli("problems", "list")
    assert said.code == 0 and said.out.startswith(f"{failed}: ") and "[image.corrupt]" in said.out and "1 file" in said.err
    line = json.loads(cli("problems", "list", "--json").out)
    assert line["path"] == str(failed) and line["code"] == "image.corrupt" and line["cause"] and line["remedy"]
    assert cli("problems", "list", "--folder", "/elsewhere").out == ""
    assert cli("problems", "list", "--folder", f"{failed.parent}/").out == said.out
    assert cli("problems", "list", "--online-only").out == ""


def test_they_are_scanned_again_at_once_or_at_the_next_start(cli: CommandLine, failed: Path, analyser: FakeAnalyser) -> None:
    assert "next" in cli("problems", "retry").out
    assert cli("problems", "list").out == ""


def test_a_running_agent_scans_them_again(cli: CommandLine, running_agent: FakeAgent) -> None:
    assert cli("problems", "retry").code == 0 and running_agent.asked == ["POST /api/problems/retry"]
