"""Files that others may have put there, read whole with a bound: no pipe is waited for, and no device is asked."""

import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Final

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


class NotRegular(OSError):
    """A pipe, a device, a folder."""


class TooLong(Exception):
    """More bytes than were asked for."""


def open_regular(path: Path) -> BufferedReader:
    """To be read. Raises OSError, NotRegular, ValueError for a name that no file can have."""
    handle = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotRegular
    return os.fdopen(handle, "rb")


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """A file's content, at most `most` bytes, and its facts as of the same open file. Raises OSError, NotRegular, TooLong, ValueError."""
    with open_regular(path) as file:
        facts, data = os.fstat(file.fileno()), file.read(most + 1)
    if len(data) > most:
        raise TooLong
    return data, facts
