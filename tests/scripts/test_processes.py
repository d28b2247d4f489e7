"""Tools run with their output in the log; what bends Python's search path stays out."""

import sys
from pathlib import Path

import pytest

from scripts.setup.console import Console, SetupFailed
from scripts.setup.processes import answers, environment, run_logged


def test_a_tools_environment_keeps_mirrors_and_drops_what_bends_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("HTTPS_PROXY", "proxy:1")
    env = environment(path_first=Path("/first"))
    assert env.keys().isdisjoint({"PYTHONPATH", "PIP_TARGET", "PYTHONDONTWRITEBYTECODE"})
    assert env["HTTPS_PROXY"] == "proxy:1"
    assert env["PATH"].startswith("/first") or env["PATH"].startswith("\\first")


def test_output_goes_to_the_log_line_by_line(console: Console) -> None:
    seen: list[str] = []
    run_logged(console, [sys.executable, "-c", "print('one'); print('two')"], on_line=seen.append)
    assert seen == ["one", "two"]
    assert "one\ntwo\n" in console.log.read_text()


def test_a_failing_tool_is_a_failed_set_up(console: Console) -> None:
    with pytest.raises(SetupFailed, match="command_failed"):
        run_logged(console, [sys.executable, "-c", "raise SystemExit(3)"])
    assert "exit code 3" in console.log.read_text()


def test_a_hanging_tool_is_ended(console: Console) -> None:
    with pytest.raises(SetupFailed):
        run_logged(console, [sys.executable, "-c", "import time; time.sleep(60)"], limit=0.05)


def test_a_tool_that_is_not_there_is_a_failed_set_up(console: Console, tmp_path: Path) -> None:
    with pytest.raises(SetupFailed):
        run_logged(console, [str(tmp_path / "nothing")])
    assert answers([str(tmp_path / "nothing")]) is None
