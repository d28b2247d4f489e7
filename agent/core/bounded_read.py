"""Reads untrusted files whole with a size limit, without waiting for pipes or querying devices."""

import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class NotRegular(OSError):
    """The file is a pipe, a device or a folder."""


class TooLong(Exception):
    """The file has more bytes than the limit."""


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading. Raises OSError, NotRegular, ValueError for an impossible name."""
    handle = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegular
    return os.fdopen(handle, "rb")


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Return a file's content, at most `most` bytes, and its stat from the same handle. Raises OSError, NotRegular, TooLong, ValueError."""
    with open_regular(path) as file:
        facts, data = os.fstat(file.fileno()), file.read(most + 1)
    if len(data) > most:
        raise TooLong
    return data, facts
