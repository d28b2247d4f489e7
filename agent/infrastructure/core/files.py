"""Writes files atomically, for the owner only, and on the disk when the call returns. Reads untrusted ones with a size limit."""

import contextlib
import errno
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from agent.domain.errors import AgentError, CopyDiskFull, CopyUnwritable, StoreDiskFull, StoreError, StoreUnwritable
from agent.domain.path_text import printable

T = TypeVar("T")

# Errors that mean a file system has no links.
_NO_LINKS = frozenset((errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS, errno.EACCES))
_HELD_S, _AGAIN_S = 2.0, 0.02
_HELD: Final = (32, 33)  # these five are Windows' own: open, or locked in part, in another program
_WRITE_PROTECTED: Final = 19
_DELETE, _SHARED_WITH_ALL = 0x10000, 0x7
# Opens only the file with this name, not one that a link leads to; does not wait for pipes.
_HERE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FULL = frozenset(code for code in (errno.ENOSPC, getattr(errno, "EDQUOT", None)) if code is not None)
_UNTRUSTED: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def disk_full(error: OSError) -> bool:
    """Return whether there was no room, on the disk or in the user's quota."""
    return error.errno in _FULL


def store_error(error: OSError) -> StoreError:
    """Return the library's error for an error of the file system."""
    return StoreDiskFull() if disk_full(error) else StoreUnwritable()


def error_code(error: AgentError | OSError) -> str:
    """Return the code to log for an error of the program or of the file system."""
    return (store_error(error) if isinstance(error, OSError) else error).code


@contextlib.contextmanager
def copy_errors(folder: str = "") -> Iterator[None]:
    """Translate an error of the file system into a copy's error with its folder. Raises CopyDiskFull, CopyUnwritable."""
    try:
        yield
    except OSError as error:
        raise (CopyDiskFull() if disk_full(error) else unwritable(error, folder)) from error
    except ValueError as error:  # an impossible file name
        raise CopyUnwritable from error


def unwritable(error: OSError, folder: str) -> CopyUnwritable:
    """Return the error that explains why the folder can't be written to."""
    if getattr(error, "winerror", None) == _WRITE_PROTECTED:
        return CopyUnwritable(read_only=printable(folder)) if folder else CopyUnwritable()
    why = {errno.EACCES: "denied", errno.EPERM: "denied", errno.EROFS: "read_only"}.get(error.errno or 0, "folder")
    return CopyUnwritable(**{why: printable(folder)}) if folder else CopyUnwritable()


def write_private(path: Path, content: bytes) -> None:
    """Replace a file; only its owner can read it (on Windows the profile folder ensures that). Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")  # 0600
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        replace_file(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def replace_file(aside: Path, target: Path) -> None:
    """Move a file over another, or a folder to an unused name. Raises OSError."""
    retry_while_locked(lambda: aside.replace(target))


def retry_while_locked(action: Callable[[], T], refused: Callable[[PermissionError], bool] = lambda _: True) -> T:
    """Return what an action on files returns; repeat it for a moment while it is refused. Raises OSError.

    Windows refuses while a file is open elsewhere, as in a virus scanner for a moment, or in a thread or command of ours. `refused`
    returns whether it is that.
    """
    deadline = time.monotonic() + _HELD_S
    while True:
        try:
            return action()
        except PermissionError as error:
            if sys.platform != "win32" or time.monotonic() > deadline or not refused(error):
                raise
            time.sleep(_AGAIN_S)


def is_held(error: BaseException) -> bool:
    """Return whether Windows refused because another program has the file open. `open` does not say so, as other calls do."""
    return getattr(error, "winerror", None) in _HELD


def replace_blocked_by(path: Path) -> str:
    """Return why Windows does not let a file be replaced: "held" by another program, "protected", or empty for any other reason."""
    if sys.platform != "win32":
        return ""
    import _winapi

    try:
        if path.stat().st_file_attributes & stat.FILE_ATTRIBUTE_READONLY:
            return "protected"
        _winapi.CloseHandle(_winapi.CreateFile(str(path), _DELETE, _SHARED_WITH_ALL, 0, _winapi.OPEN_EXISTING, 0, 0))
    except OSError as error:
        return "held" if is_held(error) else ""
    return ""


def numbered(target: str) -> Iterator[str]:
    """Yield `a.jpg`, `a (2).jpg`, `a (3).jpg`, ..."""
    yield target
    stem, dot, ending = target.rpartition(".")
    if not dot or os.sep in ending:
        stem, dot, ending = target, "", ""
    number = 2
    while True:
        yield f"{stem} ({number}){dot}{ending}"
        number += 1


def move_new(aside: str, target: str) -> None:
    """Move a file to an unused name. Raises FileExistsError if the name is taken, and any other OSError."""
    if os.name == "nt":
        retry_while_locked(lambda: Path(aside).rename(target))  # which fails there
        return
    try:
        if os.link in os.supports_follow_symlinks:
            os.link(aside, target, follow_symlinks=False)  # a link that replaced the file meanwhile must not lead to another one
        else:
            os.link(aside, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if os.path.lexists(target):  # no better check exists
            raise FileExistsError from None
        Path(aside).rename(target)
    else:
        Path(aside).unlink()


def create_file(path: Path | str) -> BinaryIO:
    """Create a file for its owner only. Raises FileExistsError if the name is taken, even by a link, and any other OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _HERE, 0o600), "wb")


def copy_to_new(source: Path, target: Path, mode: int = 0o600) -> None:
    """Copy a file to a name, removing any previous file; on the disk when the call returns. Raises OSError."""
    target.unlink(missing_ok=True)
    with source.open("rb") as whole, create_file(target) as copy:
        shutil.copyfileobj(whole, copy, 1 << 20)
    sync_file(target, mode)


def sync_file(path: Path, mode: int | None = None) -> None:
    """Wait until a file's content is on the disk, and set its mode. Raises OSError, also for a link or a non-file."""
    handle = os.open(path, os.O_RDWR | _HERE)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        if mode is not None and sys.platform != "win32":
            with contextlib.suppress(OSError):  # a file system without permissions
                os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries are on the disk, if the system supports that (Windows and some network drives don't)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


class NotARegularFile(OSError):
    """The file is a pipe, a device or a folder."""


class FileTooLarge(Exception):
    """The file has more bytes than the limit."""


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading, without waiting for pipes or querying devices.

    Raises OSError, NotRegular, ValueError for an impossible name.
    """
    handle = os.open(path, _UNTRUSTED)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotARegularFile
    return os.fdopen(handle, "rb")


def open_shared(path: str, flags: int) -> int:
    """Open a file for reading and return its descriptor. Raises OSError, ValueError for an impossible name.

    On Windows the user can rename and delete it meanwhile, which `os.open` would keep them from.
    """
    if sys.platform != "win32":
        return os.open(path, flags)
    import _winapi
    import msvcrt

    def opened() -> int:
        return _winapi.CreateFile(path, _winapi.GENERIC_READ, _SHARED_WITH_ALL, 0, _winapi.OPEN_EXISTING, 0, 0)

    return msvcrt.open_osfhandle(retry_while_locked(opened, is_held), flags)


def read_regular(path: Path, most: int) -> tuple[bytes, os.stat_result]:
    """Return a file's content, at most `most` bytes, and its stat from the same handle. Raises OSError, NotRegular, TooLong, ValueError."""
    with open_regular(path) as file:
        facts, data = os.fstat(file.fileno()), file.read(most + 1)
    if len(data) > most:
        raise FileTooLarge
    return data, facts
