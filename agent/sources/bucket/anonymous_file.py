"""A file without a name for an object's bytes: gone when its last descriptor is closed, however the program ends."""

import os
import tempfile
from collections.abc import Iterable
from typing import IO, Final

# Larger objects go to the disk, without a name there either.
MOST_IN_MEMORY: Final = 64 * 1024 * 1024


def filled(chunks: Iterable[bytes | memoryview], size: int) -> int:
    """Return a descriptor of a file with these bytes, to be read from its start. Raises OSError, and what `chunks` raises."""
    with _made(size) as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        file.seek(0)
        return _to_read(file.fileno())


def _made(size: int) -> IO[bytes]:
    if size <= MOST_IN_MEMORY and hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("photo"), "w+b")
    return tempfile.TemporaryFile()


def _to_read(descriptor: int) -> int:
    """Return a descriptor of its own that can't be written to, where the system can make one."""
    try:
        return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return os.dup(descriptor)
