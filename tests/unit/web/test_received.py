"""A photo that was sent is in a file for as long as it is looked at, and not for longer, however the program ends."""

import os
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.domain.errors import ImageTooLarge
from agent.web.received import LEFT_S, received, sweep


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system keeps what is not to be kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def parts(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


async def test_it_is_there_only_while_it_is_looked_at(folder: Path) -> None:
    async with received(parts(2, 3), 1) as path:
        assert Path(path).read_bytes() == bytes(5) and Path(path).parent == folder  # noqa: ASYNC240
        assert os.name == "nt" or Path(path).stat().st_mode & 0o777 == 0o600  # noqa: ASYNC240
    assert not list(folder.iterdir())  # noqa: ASYNC240


async def test_one_that_is_too_large_leaves_nothing(folder: Path) -> None:
    with pytest.raises(ImageTooLarge):
        async with received(parts(1_000_000, 1), 1):
            pytest.fail("it is too large")
    assert not list(folder.iterdir())  # noqa: ASYNC240


def test_what_a_program_that_was_killed_left_behind_goes_when_the_next_one_starts(folder: Path) -> None:
    left, under_way, another = folder / "ai-popup-a1b2.photo", folder / "ai-popup-c3d4.photo", folder / "mine.photo"
    for path in (left, under_way, another):
        path.touch()
    for path in (left, another):
        os.utime(path, (time.time() - LEFT_S - 10,) * 2)
    (folder / "ai-popup-folder.photo").mkdir()
    os.utime(folder / "ai-popup-folder.photo", (0, 0))
    sweep(time.time())
    assert {path.name for path in folder.iterdir()} == {under_way.name, another.name, "ai-popup-folder.photo"}
