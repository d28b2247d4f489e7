"""Which slow tests a change waits for: those of the wings that changed, then those whose turn it is, as far as the time goes.

scripts/wings.toml lists the wings. One has changed if something of its code or tests changed within the four hours before the newest
commit, or is not committed yet; a file that was only moved has not. Of the others every sixth is due, by the number of commits. What is
left out is told, and is no skipped test: nothing on the machine is missing for it. Where the history is not known, all run.
"""

import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TURNS = 6
BUDGET_MIN = 14  # of `.ci/run`'s thirty; what set-up, checks and the other tests take is outside
_RECENT_S = 4 * 60 * 60  # pushes come more often than that, and rebasing dates their commits anew
_MOVED = "-M90%"


@dataclass(frozen=True, slots=True)
class Wing:
    """Folders of tests that run together, and the files and folders that they are about."""

    name: str
    minutes: float
    tests: tuple[str, ...]
    code: tuple[str, ...]

    def changed_with(self, files: set[str]) -> bool:
        return any(file == path or file.startswith(f"{path}/") for path in (*self.tests, *self.code) for file in files)


@dataclass(frozen=True, slots=True)
class History:
    """What git knows: how many commits there are, and which files are new or changed."""

    commits: int
    changed: set[str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The folders of tests to run, and a line for each wing that is left out."""

    paths: tuple[str, ...]
    left_out: tuple[str, ...]


def wings(checkout: Path) -> list[Wing]:
    """Raises KeyError, TypeError, ValueError for a list that is none."""
    listed = tomllib.loads((checkout / "scripts" / "wings.toml").read_text(encoding="utf-8"))
    return [
        Wing(name, each["minutes"], tuple(f"tests/{folder}" for folder in each["tests"]), tuple(each["code"]))
        for name, each in listed.items()
    ]


def history(checkout: Path) -> History | None:
    """None where there is no git, no repository, or only its newest commits."""
    try:
        if _git(checkout, "rev-parse", "--is-shallow-repository") != "false":
            return None
        newest = int(_git(checkout, "log", "-1", "--format=%ct"))
        recent = _git(checkout, "log", "-m", _MOVED, "--name-status", "--format=", f"--since=@{newest - _RECENT_S}")
        uncommitted = _git(checkout, "diff", _MOVED, "--name-status", "HEAD")
        untracked = _git(checkout, "ls-files", "--others", "--exclude-standard")
        commits = int(_git(checkout, "rev-list", "--count", "HEAD"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return History(commits, {*_changed(recent), *_changed(uncommitted), *filter(None, untracked.splitlines())})


def chosen(listed: Sequence[Wing], known: History | None) -> Chosen:
    """What changed goes first; where that alone is too much, it takes turns, too."""
    if known is None:
        return Chosen(tuple(path for wing in listed for path in wing.tests), ())
    start = known.commits % len(listed)
    turned = [*listed[start:], *listed[:start]]
    changed = [wing for wing in turned if wing.changed_with(known.changed)]
    due = [wing for number, wing in enumerate(listed) if wing not in changed and (number - known.commits) % TURNS == 0]
    run: list[Wing] = []
    for wing in (*changed, *due):
        if sum(each.minutes for each in (*run, wing)) <= BUDGET_MIN:
            run.append(wing)
    left_out = [f"left out: {wing.name} ({_why(wing, changed, due)})" for wing in listed if wing not in run]
    return Chosen(tuple(path for wing in run for path in wing.tests), tuple(left_out))


def _why(wing: Wing, changed: Sequence[Wing], due: Sequence[Wing]) -> str:
    return "changed, but the time is used up" if wing in changed else "due, but the time is used up" if wing in due else "unchanged"


def _changed(statuses: str) -> list[str]:
    """The files in what git says of a change, but for those that only moved: status, then the path, or both of a moved file."""
    return [
        path
        for status, *paths in (line.split("\t") for line in statuses.splitlines() if line)
        if not status.startswith("R")
        for path in paths
    ]


def _git(checkout: Path, *words: str) -> str:
    command = ["git", "-c", "core.quotepath=off", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60).stdout.strip()
