"""What the upgrade tests start from is made by the code of each release itself, and only what is missing."""

import subprocess
from pathlib import Path

import pytest

from scripts import earlier_libraries
from scripts.earlier_libraries import Release

FILL = """
import pathlib, sys
import program
pathlib.Path(sys.argv[1]).mkdir()
(pathlib.Path(sys.argv[1]) / "written").write_text(program.WORDS)
"""


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, files: dict[str, str]) -> str:
    """Replace everything in the repository by `files`; returns the commit."""
    for path in folder.rglob("*.py"):
        path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A state")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "--quiet")
    monkeypatch.setattr(earlier_libraries, "ROOT", root)
    monkeypatch.setattr(earlier_libraries, "MADE", root / "made")
    return root


def test_each_release_runs_its_own_code_though_its_files_lie_elsewhere(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = commit(repository, {"program.py": 'WORDS = "old"', "tests/upgrade/fill.py": FILL})
    new = commit(repository, {"program.py": 'WORDS = "new"', "tests/process/upgrade/fill.py": FILL})
    wanted = [Release("v1.1.0", new, "0042"), Release("", old, "0041")]
    monkeypatch.setattr(earlier_libraries, "releases", lambda: wanted)
    (repository / "made" / "v0.9.0").mkdir(parents=True)
    assert earlier_libraries.main() == 0
    made = repository / "made"
    assert {path.parent.name: path.read_text() for path in made.rglob("written")} == {"v1.1.0": "new", "0041": "old"}
    assert not (made / "v0.9.0").exists(), "what no test reads any more is removed"

    (made / "0041" / "written").write_text("by an old program")
    assert earlier_libraries.main() == 0
    assert (made / "0041" / "written").read_text() == "by an old program", "a release that is there is left as it is"
    assert git(repository, "worktree", "list").count("\n") == 0


def test_a_commit_without_a_program_to_run_is_named(repository: Path) -> None:
    empty = commit(repository, {"program.py": 'WORDS = ""', "tests/nothing.py": ""})
    with pytest.raises(ValueError, match=r"upgrade/fill\.py"):
        earlier_libraries.make(Release("v1.0.0", empty, "0040"))
    assert not (repository / "made").exists()
