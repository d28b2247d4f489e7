"""What software centres are told of the program is what they ask for."""

import subprocess
from pathlib import Path

import pytest

from installers.linux.tree import HOMEPAGE, lay

ROOT = Path(__file__).parents[3]


def complaints(tmp_path: Path) -> list[str]:
    """What AppStream's own validator says of the file that a package installs."""
    program = tmp_path / "program"
    program.mkdir()
    lay(program, tmp_path / "tree", kind="deb", checkout=ROOT, version="1.2.3")
    (file,) = (tmp_path / "tree" / "usr/share/metainfo").iterdir()
    done = subprocess.run(["appstreamcli", "validate", "--no-net", str(file)], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith(("E:", "W:"))]


def test_the_validator_has_nothing_to_say_against_a_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOMEPAGE, "https://example.org/ai-popup?a=1&b=2")
    assert complaints(tmp_path) == []


def test_a_build_that_is_told_of_no_homepage_lacks_that_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOMEPAGE, raising=False)
    (line,) = complaints(tmp_path)
    assert "url-homepage-missing" in line
