"""The gate leaves out only what is unchanged and not its turn, and says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.setup import rare
from scripts.setup.rare import TURNS, Group, History

ROOT = Path(__file__).parents[2]
LISTED = [Group(f"group {number}", (f"tests/{number}.py",), (f"made/{number}",)) for number in range(TURNS + 2)]
TEST = "def test_a() -> None:\n    pass\n\n\ndef test_b() -> None:\n    pass\n"


def runs(known: History | None) -> set[str]:
    left_out = rare.left_out(LISTED, known)
    return {group.name for group in LISTED if group.tests[0] not in left_out}


def test_within_as_many_commits_as_there_are_turns_every_group_runs() -> None:
    turns = [runs(History(commits, set())) for commits in range(100, 100 + TURNS)]
    assert set.union(*turns) == {group.name for group in LISTED}
    assert all(len(turn) <= 2 for turn in turns)


def test_it_is_said_in_how_many_commits_a_group_is_due() -> None:
    assert rare.left_out(LISTED, History(0, set()))["tests/1.py"].endswith("due in 1 commit")
    assert rare.left_out(LISTED, History(0, set()))["tests/5.py"].endswith("due in 5 commits")


@pytest.mark.parametrize("changed", ["tests/3.py", "made/3", "made/3/deep/file.py"])
def test_what_changed_runs_at_once(changed: str) -> None:
    assert runs(History(0, {changed})) == {"group 0", "group 3", "group 6"}


def test_a_file_whose_name_only_begins_alike_is_another() -> None:
    assert runs(History(0, {"made/33"})) == {"group 0", "group 6"}


def test_without_a_history_everything_runs() -> None:
    assert runs(None) == {group.name for group in LISTED}


def test_every_group_names_files_that_are_there() -> None:
    listed = rare.groups()
    assert len({group.name for group in listed}) == len(listed)
    assert [path for group in listed for path in (*group.tests, *group.made_of) if not (ROOT / path).exists()] == []


# -- with git ----------------------------------------------------------------------------------------------------------------------


def git(checkout: Path, *words: str, at: int = 0) -> None:
    date = f"@{1_700_000_000 + at} +0000"
    env = {**os.environ, "GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@localhost", *words]
    subprocess.run(command, cwd=checkout, env=env, check=True, capture_output=True, timeout=60)


def commit(checkout: Path, name: str, *, at: int) -> None:
    (checkout / name).write_text(name)
    git(checkout, "add", "--all")
    git(checkout, "commit", "-m", name, at=at)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Three commits: two of the last hour, one a week before."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init")
    for name, at in (("old", -7 * 86400), ("new", -3000), ("newest", 0)):
        commit(folder, name, at=at)
    return folder


def test_recent_commits_and_what_is_not_committed_count_as_changed(repository: Path) -> None:
    assert rare.history(repository) == History(3, {"new", "newest"})
    (repository / "old").write_text("other")
    (repository / "untracked").touch()
    assert rare.history(repository) == History(3, {"new", "newest", "old", "untracked"})


def test_a_moved_file_changed_where_it_was(repository: Path) -> None:
    git(repository, "mv", "old", "moved")
    git(repository, "commit", "-m", "move", at=10)
    known = rare.history(repository)
    assert known is not None and {"old", "moved"} <= known.changed


def test_a_clone_of_the_newest_commits_only_has_no_history(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--depth", "1", repository.as_uri(), "shallow")
    assert rare.history(tmp_path / "shallow") is None


def test_a_folder_without_git_has_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "copy").mkdir()
    assert rare.history(tmp_path / "copy") is None


# -- with pytest -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "side by side"])
def test_what_is_left_out_is_counted_and_is_no_skip(tmp_path: Path, workers: tuple[str, ...]) -> None:
    for name in ("test_rare.py", "test_rare_too.py", "test_other.py"):
        (tmp_path / name).write_text(TEST)
    (tmp_path / "chosen.py").write_text(
        "from scripts.setup import rare\n"
        "rare.left_out = lambda *_: {'test_rare.py': 'a thing: due later', 'test_rare_too.py': 'a thing: due later'}\n"
    )
    plugins = [word for name in ("chosen", "scripts.setup.no_skips", "scripts.setup.rare") for word in ("-p", name)]
    command = [sys.executable, "-m", "pytest", *plugins, "-c", os.devnull, "--rootdir", str(tmp_path), *workers, str(tmp_path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LEFT OUT, 4 tests of a thing: due later" in done.stdout
    assert "2 passed" in done.stdout
