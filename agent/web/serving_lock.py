"""A lock that the agent holds while it serves and loses when it dies, so that the connection file of a killed agent is recognised."""

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
        # Readers share it, so that they never block each other.
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_SH | fcntl.LOCK_NB)


@contextmanager
def held(runtime: Path) -> Iterator[None]:
    """Hold the lock. Waits briefly while another process checks it."""
    with os.fdopen(os.open(runtime / FILE, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
        _take(file, wait=True)
        yield


def is_held(runtime: Path) -> bool:
    """Whether an agent serves. True also if the lock was never held: versions before the lock served without it."""
    try:
        with (runtime / FILE).open("r+b") as file:
            _take(file, wait=False)
            return False
    except FileNotFoundError:
        return True
    except OSError:  # another process holds it
        return True
