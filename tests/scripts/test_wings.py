"""A change waits for the slow tests of what it changed and for a sixth of the others, within the time; the rest is told."""

import subprocess
from pathlib import Path

import pytest

from scripts.setup import wings
from scripts.setup.suite import FAST, SLOW
from scripts.setup.wings import BUDGET_MIN, TURNS, History, Wing

ROOT = Path(__file__).parents[2]
LISTED = [Wing(f"w{number}", 1, (f"tests/{number}",), (f"agent/{number}",)) for number in range(12)]


def runs(known: History | None, listed: list[Wing] = LISTED) -> set[str]:
    paths = wings.chosen(listed, known).paths
    return {wing.name for wing in listed if wing.tests[0] in paths}


def test_within_as_many_commits_as_there_are_turns_every_wing_runs() -> None:
    turns = [runs(History(commits, set())) for commits in range(100, 100 + TURNS)]
    assert set.union(*turns) == {wing.name for wing in LISTED}
    assert all(len(turn) <= 2 for turn in turns)


@pytest.mark.parametrize("changed", ["tests/3/test_a.py", "agent/3", "agent/3/deep/file.py"])
def test_what_changed_runs_at_once(changed: str) -> None:
    assert runs(History(0, {changed})) == {"w0", "w3", "w6"}


def test_a_file_whose_name_only_begins_alike_is_another() -> None:
    assert runs(History(0, {"agent/33"})) == {"w0", "w6"}


def test_where_everything_changed_it_stays_within_the_time_and_takes_turns() -> None:
    long = [Wing(wing.name, BUDGET_MIN / 3, wing.tests, wing.code) for wing in LISTED]
    everything = {f"agent/{number}" for number in range(12)}
    turns = [runs(History(commits, everything), long) for commits in range(12)]
    assert all(len(turn) == 3 for turn in turns)
    assert set.union(*turns) == {wing.name for wing in LISTED}


def test_what_is_left_out_is_told_with_its_reason() -> None:
    told = wings.chosen([Wing("long", BUDGET_MIN + 1, ("tests/0",), ("agent/0",)), *LISTED[1:]], History(0, {"agent/0"})).left_out
    assert "left out: long (changed, but the time is used up)" in told
    assert "left out: w1 (unchanged)" in told


def test_without_a_history_everything_runs() -> None:
    assert runs(None) == {wing.name for wing in LISTED}


def test_a_file_that_only_moved_has_not_changed(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        command = ["git", "-c", "user.name=Tests", "-c", "user.email=tests@example.org", *words]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)

    git("init", "-q")
    (tmp_path / "old.py").write_text("".join(f"line_{number} = {number}\n" for number in range(50)))
    git("add", ".")
    git("commit", "-qm", "one", "--date=2026-01-01T00:00:00Z")
    (tmp_path / "old.py").rename(tmp_path / "new.py")
    (tmp_path / "other.py").write_text("changed = True\n")
    git("add", ".")
    assert wings.history(tmp_path) is not None
    known = wings.history(tmp_path)
    assert known is not None
    assert "other.py" in known.changed and "new.py" not in known.changed


def test_each_folder_of_slow_tests_belongs_to_one_wing_that_fits_into_the_time() -> None:
    listed = wings.wings(ROOT)
    folders = [folder for wing in listed for folder in wing.tests]
    assert len(folders) == len(set(folders))
    assert [path for wing in listed for path in (*wing.tests, *wing.code) if not (ROOT / path).exists()] == []
    assert all(wing.minutes <= BUDGET_MIN for wing in listed)
    files = [path for name in SLOW for path in (ROOT / "tests" / name).rglob("test_*.py")]
    assert [path for path in files if not any(path.is_relative_to(ROOT / folder) for folder in folders)] == []


def test_each_folder_of_tests_is_fast_or_slow() -> None:
    there = {path.relative_to(ROOT / "tests").parts[0] for path in (ROOT / "tests").rglob("test_*.py")}
    assert there == {*FAST, *SLOW}
