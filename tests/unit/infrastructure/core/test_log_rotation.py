"""A log that another program writes stays within its size, and each of its lines is read once."""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from agent.infrastructure.core.log_rotation import LogReader, files_of, rotate
from agent.infrastructure.core.program_settings import LogSettings

SMALL = LogSettings(max_mb=1, files=3)
FULL = b"x" * 2**20 + b"\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "postgres.log"


@pytest.fixture
def program(log: Path) -> Iterator[BinaryIO]:
    """What the other program writes to; it never opens the log again."""
    with log.open("ab", buffering=0) as file:
        yield file


def test_a_small_log_stays_as_it_is(log: Path) -> None:
    assert not rotate(log, SMALL), "there is none yet"
    log.write_bytes(b"line\n")
    assert not rotate(log, SMALL)
    assert files_of(log) == [log]


@pytest.mark.skipif(sys.platform == "win32", reason="a log is not rotated there while it is written")
def test_a_program_goes_on_writing_at_the_beginning_of_a_log_that_was_rotated(log: Path, program: BinaryIO) -> None:
    program.write(FULL)
    assert rotate(log, SMALL)
    program.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    [older] = files_of(log)[1:]
    assert older.read_bytes() == FULL
    assert stat.S_IMODE(older.stat().st_mode) == 0o600


def test_no_more_files_are_kept_than_wanted(log: Path) -> None:
    for number in range(5):
        log.write_bytes(b"%d" % number + FULL)
        rotate(log, SMALL)
    assert [path.name for path in files_of(log)] == ["postgres.log", "postgres.log.1", "postgres.log.2"]
    assert [path.read_bytes()[:1] for path in files_of(log)] == [b"", b"4", b"3"]


def test_a_log_of_one_file_is_emptied(log: Path) -> None:
    log.write_bytes(FULL)
    assert rotate(log, LogSettings(max_mb=1, files=1))
    assert files_of(log) == [log] and log.stat().st_size == 0
    assert list(log.parent.iterdir()) == [log]


def test_lines_are_read_once_across_rotations(log: Path) -> None:
    reader = LogReader(log, None)

    def added(line: bytes) -> list[bytes]:
        with log.open("ab") as file:
            file.write(line)
        return [each[:5] for each in reader.lines()]

    assert added(b"one\n") == [b"one\n"]
    with log.open("ab") as file:
        file.write(b"two\n" + FULL)
    rotate(log, SMALL)
    assert added(b"") == [b"two\n", b"xxxxx"], "what was written just before"
    assert added(b"three\n") == [b"three"]
    for number in (b"four\n", b"five\n"):
        with log.open("ab") as file:
            file.write(number + FULL)
        rotate(log, SMALL)
    assert added(b"six\n") == [b"four\n", b"xxxxx", b"five\n", b"xxxxx", b"six\n"], "two rotations since the last time"
    assert added(b"") == []


def test_a_reader_goes_on_where_an_earlier_one_was(log: Path) -> None:
    log.write_bytes(b"one\n" + FULL)
    first = LogReader(log, None)
    assert len(list(first.lines())) == 2
    rotate(log, SMALL)
    assert list(LogReader(log, first.position).lines()) == []
    log.write_bytes(b"two\n")
    assert list(LogReader(log, first.position).lines()) == [b"two\n"]
