"""Rotates a log that another program holds open for appending, and reads across the rotations."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Final

from agent.infrastructure.core.program_settings import LogSettings

_HEAD: Final = 1_000  # bytes that tell one file of a log from the others: their lines begin with the time


def rotate(log: Path, settings: LogSettings) -> bool:
    """Move what the log holds to `NAME.1` and empty it, if it is larger than a log may be; return whether it was. Raises OSError.

    The file itself stays, because the other program goes on writing to it. A line that it writes in the moment between the last read
    and the emptying is lost: nothing but the program itself could prevent that.
    """
    if not log.exists() or log.stat().st_size <= settings.max_mb * 2**20:
        return False
    older = [log.with_name(f"{log.name}.{number}") for number in range(1, settings.files)]
    for newer, next_one in reversed(list(pairwise(older))):  # first: it makes room on a full disk
        with contextlib.suppress(FileNotFoundError):
            newer.replace(next_one)
    with log.open("rb+") as file:
        if older:
            part = log.with_name(f"{log.name}.part")
            with open(part, "wb", opener=_owner_only) as copy:
                shutil.copyfileobj(file, copy)
            part.replace(older[0])
        file.truncate(0)
    return True


def files_of(log: Path) -> list[Path]:
    """Return the files that there are of a log, newest first."""
    older: list[tuple[int, Path]] = []
    for path in log.parent.glob(f"{log.name}.*"):
        number = path.name.removeprefix(f"{log.name}.")
        if number.isdecimal():
            older.append((int(number), path))
    return [*([log] if log.exists() else []), *(path for _, path in sorted(older))]


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read: so many bytes of the file with this beginning, wherever it was moved."""

    read: int
    head: str | None = None  # None: of the newest file that is long enough

    def within(self, file: BinaryIO) -> bool:
        file.seek(0)
        beginning = file.read(min(self.read, _HEAD))
        return file.seek(0, os.SEEK_END) >= self.read and self.head in (None, _digest(beginning))


class LogReader:
    """Reads the whole lines that were added to a log, each once, also those in files that were rotated meanwhile."""

    def __init__(self, log: Path, position: Position | None) -> None:
        """Without a position, begins with the oldest line that there is."""
        self._log = log
        self.position = position

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, and move the position. Raises OSError."""
        with contextlib.ExitStack() as opened:
            unread: list[tuple[BinaryIO, int]] = []
            for path in files_of(self._log):
                with contextlib.suppress(FileNotFoundError):  # rotated in this moment; it's read next time
                    file: BinaryIO = opened.enter_context(path.open("rb"))
                    known = self.position is not None and self.position.within(file)
                    unread.append((file, self.position.read if known and self.position is not None else 0))
                    if known:
                        break
            for part, start in reversed(unread):
                yield from self._rest(part, start)

    def _rest(self, file: BinaryIO, start: int) -> Iterator[bytes]:
        file.seek(0)
        head = file.read(_HEAD)
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            start += len(line)
            self.position = Position(start, _digest(head[:start]))
            yield line


def _digest(beginning: bytes) -> str:
    return hashlib.sha256(beginning).hexdigest()


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
