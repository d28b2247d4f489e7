"""The run of the whole suite ends with pytest's own closing lines: whoever sees only the end of the output sees what failed."""

import io
import shutil
import sys
from pathlib import Path

import pytest

from scripts.setup import suite, system
from scripts.setup.console import Console

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "line",
    [
        "======== 12 passed in 3.21s ========",
        "==== 1 failed, 12 passed, 2 warnings in 75.01s (0:01:15) ====",
        "\x1b[32m======== \x1b[32m\x1b[1m12 passed\x1b[0m\x1b[32m in 3.21s\x1b[0m\x1b[32m ========\x1b[0m",
    ],
)
def test_the_closing_line_is_found_among_the_output(line: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, closing = suite._run_shown(
        [sys.executable, "-c", f"print('..'); print({line!r}); print('after'); raise SystemExit(1)"], tmp_path, {}
    )
    assert (code, closing) == (1, line)


def test_what_failed_is_among_the_closing_lines(tmp_path: Path) -> None:
    lines = ["= short test summary info =", "FAILED tests/test_a.py::test_b - assert 1 == 2", "= 1 failed, 2 passed in 3.21s ="]
    _, closing = suite._run_shown([sys.executable, "-c", f"print('a failure', *{lines!r}, sep='\\n')"], tmp_path, {})
    assert closing.splitlines() == lines


def test_all_folders_of_tests_run_and_those_that_take_long_come_first() -> None:
    folders = suite._folders(ROOT)
    assert folders[:4] == ["tests/installers", "tests/journeys", "tests/e2e", "tests/integration"]
    assert set(folders) == {f"tests/{path.relative_to(ROOT / 'tests').parts[0]}" for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_what_a_test_leaves_behind_does_not_keep_the_run_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_DRAIN_S", 0.05)
    leftover = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(50)'])"
    assert suite._run_shown([sys.executable, "-c", leftover], tmp_path, {}) == (0, "")


def test_missing_desktop_packages_are_named_where_they_cannot_be_installed(
    console: Console, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "can_apt", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(suite, "apt_missing", lambda packages: ["xvfb"])
    suite.desktop_ready(console)
    assert "apt install xvfb" in screen.getvalue()


def test_the_lists_of_packages_name_each_once() -> None:
    packages = [*system.QT_LIBRARIES, *system.TEST_DESKTOP]
    assert len(packages) == len(set(packages))
