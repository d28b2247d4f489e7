"""Files that are written whole or not at all, for the owner's eyes only, and that are on the disk when the call returns."""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from agent.domain.errors import CopyDiskFull, CopyUnwritable, StoreDiskFull, StoreError, StoreUnwritable
from agent.domain.path_text import printable

# What says that a file system has no links.
_NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS, errno.EACCES))
_HELD_S, _AGAIN_S = 2.0, 0.02
# Of the file that has this name, and of no other that a link leads to; what is no file is not waited for.
_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FULL = frozenset(code for code in (errno.ENOSPC, getattr(errno, "EDQUOT", None)) if code is not None)


def disk_full(error: OSError) -> bool:
    """Whether there was no room, on the disk or in the user's share of it."""
    return error.errno in _FULL


def store_error(error: OSError) -> StoreError:
    """What an error of the file system means for the library."""
    return StoreDiskFull() if disk_full(error) else StoreUnwritable()


@contextlib.contextmanager
def copy_errors(folder: str = "") -> Iterator[None]:
    """Tell what an error of the file system means for a copy, and in which folder. Raises CopyDiskFull, CopyUnwritable."""
    try:
        yield
    except OSError as error:
        raise (CopyDiskFull() if disk_full(error) else unwritable(error, folder)) from error
    except ValueError as error:  # a name that no file can have
        raise CopyUnwritable from error


def unwritable(error: OSError, folder: str) -> CopyUnwritable:
    """Return the error that says why nothing can be written to the folder."""
    why = {errno.EACCES: "denied", errno.EPERM: "denied", errno.EROFS: "read_only"}.get(error.errno or 0, "folder")
    return CopyUnwritable(**{why: printable(folder)}) if folder else CopyUnwritable()


def write_private(path: Path, content: bytes) -> None:
    """Replace a file; only its owner can read it (on Windows the folder of the user's profile sees to that). Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")  # 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def put_in_place(aside: Path, target: Path) -> None:
    """Let a file take another's place. Raises OSError.

    Windows refuses while anybody reads either of them: a virus scanner does for a moment, and so may a thread or a command of ours.
    """
    deadline = time.monotonic() + _HELD_S
    while True:
        try:
            aside.replace(target)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > deadline:
                raise
            time.sleep(_AGAIN_S)
        else:
            return


def move_new(aside: str, target: str) -> None:
    """Move a file where nothing is. Raises FileExistsError if something is there, and any other OSError."""
    if os.name == "nt":
        Path(aside).rename(target)  # which refuses, there
        return
    try:
        if os.link in os.supports_follow_symlinks:
            os.link(aside, target, follow_symlinks=False)  # what took the file's place meanwhile is not to lead to another one
        else:
            os.link(aside, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):  # nothing better can be had
            raise FileExistsError from None
        Path(aside).rename(target)
    else:
        Path(aside).unlink()


def create_file(path: Path | str) -> BinaryIO:
    """A new file for its owner's eyes only. Raises FileExistsError if anything has that name, a link too, and any other OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _HERE, 0o600), "wb")


def copy_to_new(source: Path, target: Path, mode: int = 0o600) -> None:
    """Copy a file to a name of which whatever had it goes first; on the disk when the call returns. Raises OSError."""
    target.unlink(missing_ok=True)
    with source.open("rb") as whole, create_file(target) as copy:
        shutil.copyfileobj(whole, copy, 1 << 20)
    sync_file(target, mode)


def sync_file(path: Path, mode: int | None = None) -> None:
    """Wait until a file's content is on the disk, and give it those rights. Raises OSError, also for a link or for what is no file."""
    handle = os.open(path, os.O_RDWR | _HERE)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        if mode is not None and sys.platform != "win32":
            with contextlib.suppress(OSError):  # a file system without rights
                os.fchmod(handle, mode)
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
