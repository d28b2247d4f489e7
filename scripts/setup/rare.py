"""A pytest plug-in for the gate: tests that take long for what they find run when what they test has changed, else in turn.

scripts/rare.toml lists them in groups. A group runs if one of its files changed within the four hours before the newest commit, or is
changed and not committed yet; of the others, every sixth group runs, by the number of commits. Where the history is not known, all run.
What is left out is counted and told, and is not a skipped test: nothing on the machine is missing for it.
"""

import subprocess
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "scripts" / "rare.toml"
TURNS = 6
_RECENT_S = 4 * 60 * 60  # pushes come more often than that, and rebasing dates their commits anew
_LEFT_OUT = pytest.StashKey[dict[str, str]]()
_COUNTS = pytest.StashKey[Counter[str]]()
_INPUT, _OUTPUT = "rare_left_out", "rare_counts"  # what a worker is told, and what it tells


@dataclass(frozen=True, slots=True)
class Group:
    """Tests that run together, and the files and folders they are about."""

    name: str
    tests: tuple[str, ...]
    made_of: tuple[str, ...]

    def touched_by(self, changed: set[str]) -> bool:
        return any(file == path or file.startswith(f"{path}/") for path in (*self.tests, *self.made_of) for file in changed)


@dataclass(frozen=True, slots=True)
class History:
    """What git knows: how many commits there are, and which files are new or changed."""

    commits: int
    changed: set[str]


def groups(file: Path = LIST) -> list[Group]:
    """Raises KeyError, TypeError, ValueError for a list that is none."""
    listed = tomllib.loads(file.read_text(encoding="utf-8"))["group"]
    return [Group(each["name"], tuple(each["tests"]), tuple(each["made_of"])) for each in listed]


def history(checkout: Path) -> History | None:
    """None where there is no git, no repository, or only its newest commits."""
    try:
        if _git(checkout, "rev-parse", "--is-shallow-repository") != "false":
            return None
        newest = int(_git(checkout, "log", "-1", "--format=%ct"))
        recent = _git(checkout, "log", "-m", "--no-renames", "--name-only", "--format=", f"--since=@{newest - _RECENT_S}")
        uncommitted = _git(checkout, "diff", "--no-renames", "--name-only", "HEAD")
        untracked = _git(checkout, "ls-files", "--others", "--exclude-standard")
        commits = int(_git(checkout, "rev-list", "--count", "HEAD"))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return History(commits, {line for text in (recent, uncommitted, untracked) for line in text.splitlines() if line})


def left_out(listed: Sequence[Group], known: History | None) -> dict[str, str]:
    """Path of tests -> why they don't run."""
    if known is None:
        return {}
    why: dict[str, str] = {}
    for number, group in enumerate(listed):
        turn = (number - known.commits) % TURNS
        if turn and not group.touched_by(known.changed):
            due = f"{turn} commit{'s' if turn > 1 else ''}"
            why |= dict.fromkeys(group.tests, f"{group.name}: unchanged for four hours; due in {due}")
    return why


def _git(checkout: Path, *words: str) -> str:
    command = ["git", "-c", "core.quotepath=off", "-c", "safe.directory=*", *words]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60).stdout.strip()


# -- what pytest calls -------------------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    told = getattr(config, "workerinput", {}).get(_INPUT)
    config.stash[_LEFT_OUT] = left_out(groups(), history(ROOT)) if told is None else told
    config.stash[_COUNTS] = Counter()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers leave out the same, also when a commit comes meanwhile."""
    node.workerinput[_INPUT] = node.config.stash[_LEFT_OUT]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    why, kept, dropped = config.stash[_LEFT_OUT], list[pytest.Item](), list[pytest.Item]()
    for item in items:
        reason = next((why[path] for path in why if item.nodeid.startswith((f"{path}/", f"{path}::"))), None)
        (kept if reason is None else dropped).append(item)
        if reason is not None:
            config.stash[_COUNTS][reason] += 1
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        counts: Counter[str] = session.config.stash[_COUNTS]
        session.config.workeroutput[_OUTPUT] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker ended: each has collected all tests."""
    counts = node.config.stash[_COUNTS]
    counts |= Counter(getattr(node, "workeroutput", {}).get(_OUTPUT, {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    for reason, count in config.stash[_COUNTS].items():
        terminalreporter.write_line(f"LEFT OUT, {count} tests of {reason}")
