"""The run of the whole suite ends with pytest's own closing lines: the end of the output alone shows what failed."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.inference.engine import worker_slot
from scripts.setup import suite, system
from scripts.setup.console import Console
from scripts.setup.venv import Venv

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "line",
    [
        "======== 12 passed in 3.21s ========",
        "7965 passed in 419.49s (0:06:59)",
        "==== 1 failed, 12 passed, 2 warnings in 75.01s (0:01:15) ====",
        "\x1b[32m======== \x1b[32m\x1b[1m12 passed\x1b[0m\x1b[32m in 3.21s\x1b[0m\x1b[32m ========\x1b[0m",
    ],
)
def test_the_closing_line_is_found_among_the_output(line: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, closing = suite._run_shown(
        [sys.executable, "-c", f"print('..'); print({line!r}); print('after'); raise SystemExit(1)"], tmp_path, {}, 60
    )
    assert (code, closing) == (1, line)


def test_what_failed_is_among_the_closing_lines(tmp_path: Path) -> None:
    lines = ["= short test summary info =", "FAILED tests/test_a.py::test_b - assert 1 == 2", "= 1 failed, 2 passed in 3.21s ="]
    _, closing = suite._run_shown([sys.executable, "-c", f"print('a failure', *{lines!r}, sep='\\n')"], tmp_path, {}, 60)
    assert closing.splitlines() == lines


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere tests share one screen, clipboard and keyring")
@pytest.mark.parametrize(("cores", "workers"), [(None, None), (1, None), (2, "3"), (4, "6"), (64, "6")])
def test_there_are_half_as_many_workers_again_as_cores(cores: int | None, workers: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    words = suite._spread("worksteal")
    assert (words[words.index("-n") + 1] if "-n" in words else None) == workers


@pytest.mark.skipif(sys.platform != "linux", reason="only there tests run side by side")
def test_tests_leave_the_engines_their_share_of_a_busy_machine() -> None:
    code = "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"
    done = subprocess.run([*suite._gently(), sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    usual = os.getpriority(os.PRIO_PROCESS, 0)
    assert int(done.stdout) == max(usual, worker_slot._NICE - 1), "not the engine's own: whether it was lowered could not be told"


class Runs(list[list[str]]):
    """What the suite would run; `codes` are what each part ends with."""

    def __init__(self, codes: Sequence[int] = ()) -> None:
        super().__init__()
        self._codes = [*codes]

    def __call__(self, command: Sequence[str], *_: object) -> tuple[int, str]:
        self.append([*command])
        return (self._codes.pop(0) if self._codes else 0), ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "tests" / "process" / "engine"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text("@pytest.mark.smoke\ndef test_a() -> None: ...\n\n\nasync def test_b() -> None: ...\n")
    (folder / "test_b.py").write_text("def test_c() -> None: ...\n")
    return tmp_path


def test_what_is_fast_and_the_smokes_run_and_the_rest_is_counted(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(suite, "_run_shown", runs := Runs())
    assert suite.run_fast(checkout, Venv(checkout)) == 0
    fast, smoke = runs
    assert fast[-len(suite.FAST) :] == [f"tests/{name}" for name in suite.FAST]
    assert smoke[-3:] == ["-m", "smoke", "tests/process/engine/test_a.py"]
    assert capsys.readouterr().out.endswith("left out: 2 slow tests (scripts/test.py --all)\n")


def test_a_part_that_failed_fails_the_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_run_shown", Runs([0, 1]))
    assert suite.run_fast(checkout, Venv(checkout)) == 1


def test_the_bound_of_coverage_fails_the_whole_run(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_run_shown", runs := Runs())
    monkeypatch.setattr(suite, "_below_the_bound", lambda *_: 2)
    tests = suite.Suite(checkout, Venv(checkout), strict=True)
    tests.fast(coverage=True)
    assert "-pscripts.setup.covered" in runs[0] and "-pscripts.setup.no_skips" in runs[0]
    assert tests.ended([]) == 2


def test_coverage_is_of_the_process_of_the_tests_alone(tmp_path: Path) -> None:
    (tmp_path / "measured.py").write_text("def reached() -> int:\n    return 1\n\n\ndef elsewhere() -> int:\n    return 2\n")
    (tmp_path / "conftest.py").write_text("import measured\n")
    (tmp_path / "test_it.py").write_text(
        "import subprocess, sys, measured\n"
        "def test_it():\n"
        "    assert measured.reached() == 1\n"
        "    subprocess.run([sys.executable, '-c', 'import measured; measured.elsewhere()'], check=True)\n"
    )
    (tmp_path / "pyproject.toml").write_text('[tool.coverage.run]\nparallel = true\nsource = ["."]\n')
    env = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "COVERAGE_FILE": str(tmp_path / "data")}
    coverage = [sys.executable, "-m", "coverage"]
    for workers in ([], ["-n", "1"]):
        pytest_run = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.setup.covered", *workers, "test_it.py"]
        for command in (pytest_run, [*coverage, "combine", "--quiet"]):
            subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, timeout=60)
        report = subprocess.run([*coverage, "report", "-m"], cwd=tmp_path, env=env, check=True, capture_output=True, text=True, timeout=60)
        assert "measured.py 4 1 75% 6" in " ".join(report.stdout.split())


def test_a_test_over_budget_is_named_and_does_not_fail(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import time\n\n\ndef test_long():\n"
        "    start = time.process_time()\n    while time.process_time() < start + 2.1: pass\n\n\ndef test_short(): pass\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "scripts.setup.budget",
        "-c",
        os.devnull,
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, env=env, check=True, capture_output=True, text=True, timeout=60)
    told = [line for line in done.stdout.splitlines() if line.startswith("over budget")]
    assert len(told) == 1 and told[0].endswith("test_it.py::test_long")


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_what_a_test_leaves_behind_does_not_keep_the_run_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "_DRAIN_S", 0.05)
    leftover = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(50)'])"
    assert suite._run_shown([sys.executable, "-c", leftover], tmp_path, {}, 60) == (0, "")


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
