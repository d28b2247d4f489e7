"""The lock files hold everything pyproject.toml asks for, by hash, and nothing about where it was fetched."""

import re
import tomllib
from pathlib import Path

import pytest

from scripts.lock import LOCKS

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)( ;.*)? \\$")


def text(lock: str) -> str:
    return (ROOT / lock).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in text(lock).splitlines():
        if match := PIN.match(line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def wanted(*groups: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [line for group in groups for line in project["dependency-groups"][group]] if groups else project["project"]["dependencies"]
    return {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize("lock", [*LOCKS, "ui/package-lock.json"])
def test_a_lock_names_no_host(lock: str) -> None:
    assert not re.search(r"://|--index|--find-links|--extra-index", text(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_its_hash(lock: str) -> None:
    lines = text(lock).splitlines()[1:]
    assert all(PIN.match(line) or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_the_project_asks_for_is_locked(lock: str) -> None:
    sources = LOCKS[lock][0]
    assert wanted(*(word for word in sources if word not in ("--group", "pyproject.toml"))) <= pins(lock).keys()


def test_the_development_lock_agrees_with_the_programs() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    both = runtime.keys() & development.keys()
    assert "numpy" in both
    assert {name: development[name] for name in both} == {name: runtime[name] for name in both}
