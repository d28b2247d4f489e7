"""The command that covers a folder is killed twice and run again: each photo has one copy, whatever way the copies are made."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from PIL import Image

if TYPE_CHECKING:
    from tests.support.real_program import RealProgram

pytestmark = [pytest.mark.timeout(1200)]
PHOTOS = 104
KILLS = 2
Photo = Callable[[int], Image.Image]
Words = tuple[str, ...]


@pytest.fixture
def program(make_program: "Callable[[Mapping[str, str]], RealProgram]") -> "RealProgram":
    """No agent runs: each command opens the library itself."""
    return make_program({})


@pytest.fixture
def album(tmp_path: Path, photo: Photo) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(PHOTOS):
        photo(number).resize((240, 240)).save(folder / f"{number:03}.jpg", quality=90)
    return folder


def command(program: "RealProgram", *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "agent", *words],
        env=program.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def killed_after(program: "RealProgram", copies: int, *words: str) -> None:
    """Kill the command and its engines once it said so many copies."""
    process = command(program, *words)
    assert process.stdout is not None
    for _ in range(copies):
        assert process.stdout.readline(), "the command ended before it was killed"
    killed = psutil.Process(process.pid)
    for each in [killed, *killed.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.communicate()


def finished(program: "RealProgram", *words: str) -> list[dict[str, object]]:
    """Run the command to its end. Returns what it said of each copy."""
    process = command(program, *words)
    said, complaints = process.communicate()
    assert process.returncode == 0, complaints
    return [json.loads(line) for line in said.splitlines()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def batches(program: "RealProgram") -> int:
    with program.library() as library:
        return len(library.redaction_batches(limit=100))


@pytest.mark.parametrize("keeping", [(), ("--restorable",), ("--keep-original",)], ids=["plain", "restorable", "original"])
def test_copies_in_a_folder_are_not_multiplied(program: "RealProgram", album: Path, tmp_path: Path, keeping: Words) -> None:
    safe = tmp_path / "safe"
    words = ("redact", str(album), "-o", str(safe), *keeping, "--json")
    for _ in range(KILLS):
        killed_after(program, 20, *words)

    told = finished(program, *words)

    assert len(told) == PHOTOS and {line["error"] for line in told} == {None}
    assert len({line["source"] for line in told}) == PHOTOS
    endings = ("", ".aipopup") if keeping else ("",)
    assert names(safe) == {f"{number:03}.jpg{ending}" for number in range(PHOTOS) for ending in endings}
    assert batches(program) == 1, "the same command resumes its batch"


@pytest.mark.parametrize("keeping", [(), ("--keep-original",)], ids=["plain", "original"])
def test_originals_in_their_own_place_are_covered_once(program: "RealProgram", album: Path, keeping: Words) -> None:
    before = {path.name: path.read_bytes() for path in album.iterdir()}
    words = ("redact", str(album), "--in-place", *keeping, "--yes", "--json")
    for _ in range(KILLS):
        killed_after(program, 20, *words)

    told = finished(program, *words)

    assert len(told) == PHOTOS and {line["error"] for line in told} == {None}
    assert batches(program) == 1
    covered = {name: (album / name).read_bytes() for name in before}
    assert all(covered[name] != before[name] for name in before)
    kept = {f"{name}.aipopup" for name in before} if keeping else set()
    assert names(album) == set(before) | kept

    again = finished(program, *words)

    assert {line["error"] for line in again} == {None}
    assert {name: (album / name).read_bytes() for name in before} == covered, "what is covered already is not encoded anew"
    assert names(album) == set(before) | kept
