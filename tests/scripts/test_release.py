"""A release says what changed, carries the version it is tagged with, and is as small as was promised."""

import hashlib
from pathlib import Path

import pytest

from scripts import release
from scripts.earlier_libraries import Release, releases

CHANGELOG = """# Changelog

## [Unreleased]

### Added
- Not out yet.

## [0.2.0] - 2026-03-01

### Added
- Installers.

### Fixed
- A [link](x).

## [0.1.0] - 2026-01-01
- First.
"""


def test_the_notes_are_the_part_of_this_version_alone() -> None:
    assert release.notes_of(CHANGELOG, "0.2.0") == "### Added\n- Installers.\n\n### Fixed\n- A [link](x).\n"
    assert release.notes_of(CHANGELOG, "0.1.0") == "- First.\n"


def test_a_beta_has_what_is_not_released_yet() -> None:
    assert release.notes_of(CHANGELOG, "0.3.0b1") == "### Added\n- Not out yet.\n"


@pytest.mark.parametrize("changelog", [CHANGELOG, "## [0.3.0]\n\n## [0.2.0]\n- Old.\n", ""])
def test_a_version_without_notes_is_not_released(changelog: str) -> None:
    with pytest.raises(ValueError, match=r"says nothing of 0\.3\.0"):
        release.notes_of(changelog, "0.3.0")


def test_the_programs_own_changelog_has_notes_for_a_beta() -> None:
    assert release.notes_of(release.CHANGELOG.read_text(encoding="utf-8"), "99.0.0b1").startswith("### Added")


@pytest.mark.parametrize(("version", "channel"), [("1.2.3", "stable"), ("1.2.3b1", "beta"), ("1.2.3rc2", "beta")])
def test_the_version_says_the_channel(version: str, channel: str) -> None:
    assert release.channel_of(f"v{version}", version) == channel


@pytest.mark.parametrize(("tag", "version"), [("v1.2.4", "1.2.3"), ("1.2.3", "1.2.3"), ("v1.2", "1.2")])
def test_a_tag_that_is_not_this_version_stops_the_release(tag: str, version: str) -> None:
    with pytest.raises(ValueError):
        release.channel_of(tag, version)


def test_files_within_their_budget_get_checksums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.deb").write_bytes(b"one")
    (tmp_path / "sbom.json").write_bytes(b"two")
    assert release.main(["files", str(tmp_path)]) == 0
    assert release.main(["files", str(tmp_path)]) == 0  # checksums are not summed up themselves
    expected = f"{hashlib.sha256(b'one').hexdigest()}  a.deb\n{hashlib.sha256(b'two').hexdigest()}  sbom.json\n"
    assert (tmp_path / "SHA256SUMS").read_text() == expected
    assert "0.0 MB of  220  a.deb" in capsys.readouterr().out


def test_a_file_above_its_budget_stops_the_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "ai-popup.exe").open("wb") as file:
        file.truncate(130_100_000)
    assert release.main(["files", str(tmp_path)]) == 1
    assert capsys.readouterr().err == "ai-popup.exe: 130.1 MB, 130 are allowed\n"
    assert not (tmp_path / "SHA256SUMS").exists()


def test_nothing_is_no_release(tmp_path: Path) -> None:
    assert release.main(["files", str(tmp_path)]) == 1


def test_a_release_keeps_the_promise_to_the_two_before() -> None:
    tested = [Release("v1.10.0", "c0ffee", "0040"), Release("v1.9.2", "facade", "0038")]
    tags = ["v1.9.2", "v1.10.0", "v1.11.0", "v1.8.0", "v1.11.0b1", "vnext"]
    release.check_upgrades("v1.11.0", tags, tested)
    with pytest.raises(ValueError, match=r"lacks v1\.10\.0: add it"):
        release.check_upgrades("v1.11.0", tags, tested[1:])


def test_the_first_release_has_none_before() -> None:
    release.check_upgrades("v1.0.0", ["v1.0.0"], releases())
