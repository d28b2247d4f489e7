"""Files that are written whole or not at all, for the owner's eyes only, and that are on the disk when the call returns."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from agent.domain.errors import StoreDiskFull, StoreError, StoreUnwritable

_FULL = frozenset(code for code in (errno.ENOSPC, getattr(errno, "EDQUOT", None)) if code is not None)


def disk_full(error: OSError) -> bool:
    """Whether there was no room, on the disk or in the user's share of it."""
    return error.errno in _FULL


def store_error(error: OSError) -> StoreError:
    """What an error of the file system means for the library."""
    return StoreDiskFull() if disk_full(error) else StoreUnwritable()


def write_private(path: Path, content: bytes) -> None:
    """Replace a file; only its owner can read it (on Windows the folder of the user's profile sees to that). Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")  # 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk. Raises OSError."""
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries are on the disk, where the system can say so (Windows can't, and some network drives)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
