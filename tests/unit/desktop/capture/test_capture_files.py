"""Captures become complete files that only their owner can read, and replace no other file."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.desktop.capture import capture_files
from agent.domain.errors import CopyDiskFull, CopyUnwritable


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    names = [capture_files.save(str(tmp_path / "new" / "a.png"), content) for content in (b"1", b"2", b"3")]
    assert [Path(name).name for name in names] == ["a.png", "a (2).png", "a (3).png"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {"a.png": b"1", "a (2).png": b"2", "a (3).png": b"3"}
    assert os.name == "nt" or Path(names[0]).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, CopyDiskFull), (errno.EIO, CopyUnwritable)])
def test_what_can_not_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    def fails(_: int) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(error):
        capture_files.save(str(tmp_path / "a.png"), b"1")
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CopyUnwritable):
        capture_files.save(str(tmp_path / "a\0.png"), b"1")


@pytest.mark.skipif(os.name == "nt", reason="there renaming refuses by itself")
def test_a_drive_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(os, "link", no_links)
    assert capture_files.save(str(tmp_path / "a.png"), b"1") == str(tmp_path / "a.png")


def test_the_usual_name_tells_when_it_was(tmp_path: Path) -> None:
    name = Path(capture_files.usual_name(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), tmp_path))
    assert name.parent == tmp_path and name.suffix == ".png" and "2026-01-" in name.name and ":" not in name.name
