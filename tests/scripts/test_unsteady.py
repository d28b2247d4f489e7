"""Of a run of the whole suite, only a few failed tests run again, and only if nothing else was wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.setup import unsteady
from scripts.setup.no_skips import SKIPPED

ROOT = Path(__file__).parents[2]
# It fails at its first run and passes at every later one.
UNSTEADY = """from pathlib import Path

def test_a() -> None:
    seen = Path(__file__).with_name("seen")
    first = not seen.exists()
    seen.touch()
    assert not first

def test_b() -> None:
    pass
"""


def run(folder: Path, *words: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), *words, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def test_a_test_that_failed_runs_again_alone(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    code, _ = run(tmp_path)
    few = unsteady.few_failed(tmp_path, (0, code))
    assert (code, few) == (1, ["test_it.py::test_a"])
    code, output = run(tmp_path, *unsteady.AGAIN)
    assert code == 0 and "1 passed" in output and "test_it.py::test_a" in unsteady.lines(few)


def test_one_that_fails_again_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_a() -> None:\n    assert False\n")
    code, _ = run(tmp_path)
    assert unsteady.few_failed(tmp_path, (code, 0)) == ["test_it.py::test_a"]
    assert run(tmp_path, *unsteady.AGAIN)[0] == 1


def test_many_are_no_accident(tmp_path: Path) -> None:
    many = "\n".join(f"def test_{number}() -> None:\n    assert False\n" for number in range(unsteady.MOST + 1))
    (tmp_path / "test_it.py").write_text(many)
    code, _ = run(tmp_path)
    assert unsteady.few_failed(tmp_path, (code, 0)) == []


@pytest.mark.parametrize("codes", [(0, 0), (1, SKIPPED), (SKIPPED, 0), (1, 2), (-9, 1), (1, 5)])
def test_nothing_runs_again_if_all_passed_or_more_than_tests_failed(codes: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    run(tmp_path)
    assert unsteady.few_failed(tmp_path, codes) == []


def test_failures_of_earlier_runs_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    run(tmp_path)
    unsteady.forget(tmp_path)
    unsteady.forget(tmp_path)
    assert unsteady.few_failed(tmp_path, (1, 0)) == []
