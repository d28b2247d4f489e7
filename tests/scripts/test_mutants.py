"""The mutants' runner tells a guard that a test keeps from one that none does, and its list fits the code."""

import subprocess
from pathlib import Path

import pytest

from scripts import mutants
from scripts.mutants import Mutant

GUARD = "def shut(door: str) -> bool:\n    return door == 'shut'\n"
TESTS = """from guard import shut

def test_a_door() -> None:
    assert shut('shut') and not shut('open')

def test_nothing() -> None:
    assert shut('shut')

def test_never_well() -> None:
    assert False
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "guard.py").write_text(GUARD)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def mutant(*tests: str, before: str = "door == 'shut'") -> Mutant:
    return Mutant("open", "guard.py", before, "True", tuple(f"test_it.py::{each}" for each in tests))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (mutant("test_a_door"), "killed"),
        (mutant("test_nothing"), "SURVIVED: test_it.py::test_nothing"),
        (mutant("test_a_door", "test_nothing"), "SURVIVED: test_it.py::test_nothing"),
        (mutant("test_never_well"), "BROKEN"),
        (mutant("test_not_there"), "BROKEN"),
        (mutant("test_a_door", before="no such text"), "STALE"),
        (mutant("test_a_door", before="shut"), "STALE"),
    ],
)
def test_what_becomes_of_a_mutant_is_told(checkout: Path, made: Mutant, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.run([made], checkout) == (0 if said == "killed" else 1)
    assert capsys.readouterr().out.startswith(f"open: {said}")
    assert (checkout / "guard.py").read_text() == GUARD


def test_every_mutant_changes_one_place_and_names_tests_that_are_there() -> None:
    found = mutants.read()
    assert found
    for each in found:
        each.of((mutants.ROOT / each.file).read_text(encoding="utf-8"))
        assert each.tests
        for test in each.tests:
            file, _, name = test.partition("::")
            assert f"def {name}(" in (mutants.ROOT / file).read_text(encoding="utf-8"), test
