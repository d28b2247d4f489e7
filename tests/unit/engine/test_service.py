"""Reading files: whole, steady, or refused by the right name."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from agent.domain.errors import ImageChanged, ImageTooLarge
from agent.engine.service import read_steady
from agent.vision.codecs import Limits

LIMITS = Limits(megapixels=1, megabytes=0.001)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with (tmp_path / "a").open("rb") as file:
        assert read_steady(file, LIMITS) == b"12345"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"0" * 2000)
    with (tmp_path / "large").open("rb") as file, pytest.raises(ImageTooLarge):
        read_steady(file, LIMITS)


class WrittenTo(io.FileIO):
    """A file that changes while it is read."""

    def __init__(self, path: Path, change: Callable[[Path], object]) -> None:
        super().__init__(path)
        self._path, self._change = path, change

    def read(self, size: int | None = -1, /) -> bytes:
        self._change(self._path)
        return super().read(size) or b""


@pytest.mark.parametrize("change", [lambda path: path.write_bytes(b"1234567"), lambda path: os.utime(path, (1, 1))])
def test_a_file_that_is_written_to_meanwhile_is_not_believed(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    with WrittenTo(path, change) as file, pytest.raises(ImageChanged):
        read_steady(cast(BinaryIO, file), LIMITS)
