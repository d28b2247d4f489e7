"""A photo that was sent is in a file for as long as it is looked at, and not for longer, however the program ends."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO

import pytest

from agent.domain.errors import ImageEmpty, ImageTooLarge, StoreDiskFull
from agent.infrastructure.core import anonymous_files
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.photo_files import open_photo
from agent.interfaces.web import upload_spool as received_module
from agent.interfaces.web.upload_spool import LEFT_S, received, sweep


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the system keeps what is not to be kept."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


async def parts(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield bytes(size)


@pytest.fixture(params=["here", "elsewhere"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """This system, and one that can't open a file without a name again."""
    if request.param == "here":
        return sys.platform
    monkeypatch.setattr(received_module, "sys", SimpleNamespace(platform="other"))
    return "other"


def read(path: str) -> bytes:
    """As the engine gets it."""
    with os.fdopen(open_photo(path), "rb") as file:
        return file.read()


async def test_an_error_about_it_asks_for_another_file_and_not_for_a_scan(folder: Path, system: str) -> None:
    with pytest.raises(ImageEmpty) as refused:
        async with received(parts(0), 1):
            raise ImageEmpty
    assert Texts("en").remedy(refused.value) == "Copy it again from where it came from, then choose the new file."
    assert Texts("zh-CN").remedy(refused.value) == "请从来源重新复制，然后选择新的文件。"


async def test_it_is_there_only_while_it_is_looked_at(folder: Path, system: str) -> None:
    async with received(parts(2, 3), 1) as path:
        assert read(path) == bytes(5) == read(path)
        left = list(folder.iterdir())  # noqa: ASYNC240
        if system == "linux":
            assert left == [], "a process that is killed leaves nothing"
        else:
            assert left == [Path(path)]
            assert os.name == "nt" or Path(path).stat().st_mode & 0o777 == 0o600  # noqa: ASYNC240
    assert not Path(path).exists() and not list(folder.iterdir())  # noqa: ASYNC240


KILLED = """
import asyncio, sys, tempfile, time
from agent.interfaces.web.upload_spool import received
tempfile.tempdir = sys.argv[1]
async def photo():
    yield b"a face"
async def main():
    async with received(photo(), 1):
        print("there", flush=True)
        time.sleep(600)
asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="the next start deletes it there")
def test_a_program_that_is_killed_leaves_nothing(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None and program.stdout.readline().strip() == b"there"
        program.kill()
    assert not list(folder.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="others have a named file")
async def test_a_large_one_is_whole_and_has_no_name_on_the_disk_either(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received_module, "MOST_IN_MEMORY", 4)
    monkeypatch.setattr(anonymous_files, "MOST_IN_MEMORY", 4)

    async def letters() -> AsyncIterator[bytes]:
        for part in (b"abc", b"def", b"ghi"):
            yield part

    async with received(letters(), 1) as path:
        assert Path(path).read_bytes() == b"abcdefghi"  # noqa: ASYNC240
        assert not list(folder.iterdir())  # noqa: ASYNC240


@pytest.mark.skipif(sys.platform != "linux", reason="it has a disk that is always full")
@pytest.mark.parametrize("size", [3, 3_000_000])
async def test_a_full_disk_is_named(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> IO[bytes]:
        return Path("/dev/full").open("w+b")

    monkeypatch.setattr(received_module, "anonymous_file", full)
    with pytest.raises(StoreDiskFull):
        async with received(parts(size), 9):
            pytest.fail("it is not there whole")


@pytest.mark.usefixtures("system")
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
