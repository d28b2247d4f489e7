"""A lock that the agent holds while it serves, and loses with its life: so that the word left by one that was killed is not believed."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

FILE = "serving.lock"

if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes], *, wait: bool) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: IO[bytes], *, wait: bool) -> None:
        # Those who only look share it, so that they never hold each other up.
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)


@contextmanager
def held(runtime: Path) -> Iterator[None]:
    """Hold it. Waits for a moment while another process looks."""
    with os.fdopen(os.open(runtime / FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        _take(file, wait=True)
        yield


def is_held(runtime: Path) -> bool:
    """Whether an agent serves. True also where none has ever held it: before there was this lock they served without."""
    try:
        with (runtime / FILE).open("r+b") as file:
            _take(file, wait=False)
            return False
    except FileNotFoundError:
        return True
    except OSError:  # another process has it
        return True
