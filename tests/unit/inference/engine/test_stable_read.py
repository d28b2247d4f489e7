"""Reading files: whole, steady, or refused by the right name."""

import hashlib
import io
import mmap
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from agent.domain.errors import ImageChanged, ImageCorrupt, ImageError, ImageTooLarge
from agent.inference.engine.stable_read import LARGE, check_same, read_steady, steady
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.codecs.file_bytes import MappedFile

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="files are mapped on Linux only")
LIMITS, MOST = DecodeLimits(megapixels=1, megabytes=0.001), DecodeLimits(megapixels=200, megabytes=500)


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


@LINUX
def test_a_large_file_is_mapped_and_a_small_one_is_not(tmp_path: Path) -> None:
    for size, kind in ((LARGE, MappedFile), (LARGE - 1, bytes)):
        (tmp_path / "photo").write_bytes(bytes(size))
        with steady(os.open(tmp_path / "photo", os.O_RDONLY), MOST) as data:
            assert (type(data), len(data)) == (kind, size)
    with steady(os.open(tmp_path / "photo", os.O_RDONLY), MOST, mapped=False) as data:
        assert isinstance(data, bytes)


@LINUX
@pytest.mark.parametrize("error", [None, ImageCorrupt()])
def test_a_mapped_file_that_is_written_to_meanwhile_is_not_believed(tmp_path: Path, error: ImageError | None) -> None:
    path = tmp_path / "photo"
    path.write_bytes(bytes(LARGE))
    with pytest.raises(ImageChanged), steady(os.open(path, os.O_RDONLY), MOST):
        os.utime(path, (1, 1))
        if error is not None:
            raise error


@pytest.mark.skipif(sys.platform == "win32", reason="nobody writes to a mapped file there")
def test_a_mapped_file_that_changed_unnoticed_is_recognised_by_its_digest(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(b"12345")
    with path.open("rb") as file:
        data = MappedFile(file.fileno(), 0, access=mmap.ACCESS_READ)
    digest = hashlib.sha256(data).hexdigest()
    check_same(data, digest)
    path.write_bytes(b"12344")
    with pytest.raises(ImageChanged):
        check_same(data, digest)
