"""The lock files hold everything pyproject.toml asks for, by hash, and nothing about where it was fetched."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

from scripts.lock import FOLDER, LOCKS, WITHOUT
from scripts.setup import uv

ROOT = Path(__file__).parents[2]
# What is installed on the computer of a user or developer, the systems beside Linux, and the one package that comes as source.
INSTALLED = ("requirements-tools.lock", "requirements.lock", "requirements-server.lock", "requirements-dev.lock")
SYSTEMS = {"windows": "x86_64-pc-windows-msvc", "macos": "aarch64-apple-darwin"}
AS_SOURCE = "proxy-tools"
MACOS = "14.0"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)( ;.*)? \\$")


def text(lock: str) -> str:
    return (FOLDER / lock).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in text(lock).splitlines():
        if match := PIN.match(line):
            found.setdefault(match[1], set()).add(match[2])
    return found


def wanted(*groups: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = [line for group in groups for line in project["dependency-groups"][group]] if groups else project["project"]["dependencies"]
    return names(lines)


def extra(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return names(line for each in extras for line in project["project"]["optional-dependencies"][each])


def names(requirements: Iterable[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", each)[0].lower().replace("_", "-") for each in requirements}


@pytest.mark.parametrize("lock", [*LOCKS, "../../ui/package-lock.json"])
def test_a_lock_names_no_host(lock: str) -> None:
    assert not re.search(r"://|--index|--find-links|--extra-index", text(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_a_pin_or_its_hash(lock: str) -> None:
    lines = text(lock).splitlines()[1:]
    assert all(PIN.match(line) or re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines)


@pytest.mark.parametrize("lock", LOCKS)
def test_what_the_project_asks_for_is_locked(lock: str) -> None:
    groups = [word for word in LOCKS[lock][0] if word not in ("--group", "--extra", "pyproject.toml")]
    if lock in WITHOUT:  # an extra, with all that the program asks for but one group
        assert (wanted() | extra(*groups)) - wanted(WITHOUT[lock]) <= pins(lock).keys()
    else:
        assert wanted(*groups) <= pins(lock).keys()


def test_all_pythons_get_the_same_version() -> None:
    """The tests run on one of them. A newer PyAV on others could open no clip; of these four, the newer ones are known to do."""
    forked = {name for lock in LOCKS for name, versions in pins(lock).items() if len(versions) > 1}
    assert forked == {"deprecated", "numpy", "pymdown-extensions", "scipy"}


def test_the_servers_lock_holds_no_desktop_package() -> None:
    desktop = re.compile(
        r"pyside|shiboken|pywebview|qtpy|bottle|proxy-tools|pystray|python-xlib|mss|desktop-notifier|pyobjc|pythonnet|winrt"
    )
    assert [name for name in pins("requirements-server.lock") if desktop.match(name)] == []
    assert wanted("desktop") <= pins("requirements.lock").keys()  # each is a package that would be there


def test_the_tests_have_all_of_the_server() -> None:
    assert extra("server") <= pins("requirements-dev.lock").keys()


def test_the_servers_lock_agrees_with_the_programs() -> None:
    runtime, server = pins("requirements.lock"), pins("requirements-server.lock")
    assert {name: versions for name, versions in server.items() if name in runtime} == {
        name: runtime[name] for name in server if name in runtime
    }


def test_the_development_lock_agrees_with_the_programs() -> None:
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    both = runtime.keys() & development.keys()
    assert "numpy" in both
    assert {name: development[name] for name in both} == {name: runtime[name] for name in both}


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("lock", INSTALLED)
def test_other_systems_find_wheels_for_all_of_it(lock: str, system: str, tmp_path: Path) -> None:
    python = Path(sys.executable)
    words = uv.command(python.with_name("uv"), python, FOLDER / lock)
    words += ["--python-platform", SYSTEMS[system], "--only-binary", ":all:", "--no-binary", AS_SOURCE]
    words += ["--target", str(tmp_path), "--dry-run"]
    settings = {**uv.settings(python), "MACOSX_DEPLOYMENT_TARGET": MACOS}
    done = subprocess.run(words, cwd=uv.folder(), env=settings, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
