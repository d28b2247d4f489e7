"""Files without a name, for photos that are not to be kept: they are gone when the program ends, however it ends."""

import os
import tempfile
from typing import IO, Final

# Larger ones go to the disk, without a name there either.
MOST_IN_MEMORY: Final = 64 * 1024 * 1024


def anonymous_file(size: int) -> IO[bytes]:
    """Return a file for that many bytes, in memory if they are few and the system can do so. Raises OSError."""
    if size <= MOST_IN_MEMORY and hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("photo"), "w+b")
    return tempfile.TemporaryFile()
