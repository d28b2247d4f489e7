"""Reading files: whole, steady, or refused by the right name."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from agent.domain.errors import ImageChanged, ImageMissing, ImageTooLarge, ImageUnreadable, ImageUnsupported
from agent.engine.service import read_steady
from agent.vision.codecs import Limits

LIMITS = Limits(megapixels=1, megabytes=0.001)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_steady(tmp_path / "a", LIMITS) == b"12345"


def test_files_that_can_not_be_read_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"0" * 2000)
    with pytest.raises(ImageTooLarge):
        read_steady(tmp_path / "large", LIMITS)
    with pytest.raises(ImageMissing):
        read_steady(tmp_path / "none", LIMITS)
    with pytest.raises(ImageMissing):
        read_steady(tmp_path / "large" / "inside", LIMITS)
    with pytest.raises(ImageUnsupported):
        read_steady(tmp_path, LIMITS)
    with pytest.raises(ImageUnreadable):
        read_steady(Path("a\0b"), LIMITS)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no named pipes in folders")
def test_a_pipe_does_not_hang_the_engine(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImageUnsupported):
        read_steady(tmp_path / "pipe", LIMITS)


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"1234567"), lambda path: os.utime(path, (1, 1))])
def test_a_file_that_is_written_to_meanwhile_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object]
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    plain_open = Path.open

    def open_then_change(self: Path, mode: str = "r") -> IO[bytes]:
        file: IO[bytes] = plain_open(self, "rb")
        monkeypatch.undo()
        change(path)
        return file

    monkeypatch.setattr(Path, "open", open_then_change)
    with pytest.raises(ImageChanged):
        read_steady(path, LIMITS)
