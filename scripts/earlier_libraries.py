"""Makes what the tests of the upgrade promise start from: `python scripts/earlier_libraries.py`, in a checkout with its history.

For each release of tests/process/upgrade/releases.toml whose folder is missing, the files of its commit are unpacked into a temporary
folder, and its own `fill.py` makes a desktop's backup and a server's dump with rows in every table, by its own code. Folders of other
releases are removed. A release that is there is left as it was made: it is what an old program wrote.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UPGRADE = ROOT / "tests" / "process" / "upgrade"
MADE = UPGRADE / "made"
_LIMIT_S = 600


@dataclass(frozen=True, slots=True)
class Release:
    """`tag` is empty for a state that was never released."""

    tag: str
    commit: str
    revision: str  # of the schema

    @property
    def name(self) -> str:
        return self.tag or self.revision

    @property
    def folder(self) -> Path:
        return MADE / self.name


def releases() -> list[Release]:
    """Those that the program upgrades from, the newest first."""
    found = tomllib.loads((UPGRADE / "releases.toml").read_text(encoding="utf-8"))
    return [Release(**each) for each in found["release"]]


def make(release: Release) -> None:
    """Run the release's own code. Raises CalledProcessError, and ValueError for a commit that has no program to run."""
    with tempfile.TemporaryDirectory() as folder:
        tree, made = Path(folder) / "tree", Path(folder) / "made"
        archive = subprocess.run(["git", "archive", release.commit], cwd=ROOT, capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(tree, filter="data")
        environment = {**os.environ, "PYTHONPATH": str(tree), "LC_ALL": "C.UTF-8"}
        command = [sys.executable, "-P", str(fill_of(tree)), str(made)]
        subprocess.run(command, cwd=tree, env=environment, check=True, timeout=_LIMIT_S)
        shutil.copytree(made, release.folder)


def fill_of(tree: Path) -> Path:
    """Find `fill.py` in a checkout: its tests may lie elsewhere than ours. Raises ValueError."""
    found = sorted((tree / "tests").glob("**/upgrade/fill.py"))
    if len(found) != 1:
        raise ValueError(f"one upgrade/fill.py is needed below tests, not {len(found)}")
    return found[0]


def main() -> int:
    wanted = {each.folder: each for each in releases()}
    for old in MADE.iterdir() if MADE.exists() else ():
        if old not in wanted:
            shutil.rmtree(old)
            print(f"removed {old.relative_to(ROOT)}")
    for folder, release in wanted.items():
        if not folder.exists():
            make(release)
            print(f"made {folder.relative_to(ROOT)} by {release.tag or release.commit}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
