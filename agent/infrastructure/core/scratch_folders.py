"""Folders for files that are not to be kept, where the system has them. Those of a killed program are deleted by the next one."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_START: Final = "ai-popup-"
_LOCK, _FILES = "lock", "files"
_JUST_MADE_S: Final = 60.0  # it may not be locked yet


@contextmanager
def scratch_folder(purpose: str, parent: str | None = None) -> Iterator[Path]:
    """Yield a new folder that only this user can enter; it is deleted with the block. `purpose` is part of its name. Raises OSError."""
    outer = Path(tempfile.mkdtemp(prefix=f"{_START}{purpose}-", dir=parent))  # 0700
    try:
        with FileLock(outer / _LOCK, thread_local=False):
            files = outer / _FILES
            files.mkdir()
            yield files
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def sweep(now: float, parent: str | None = None) -> None:
    """Delete the folders that killed programs of this user left; `now` in file time. Blocks."""
    for outer in Path(parent or tempfile.gettempdir()).glob(f"{_START}*"):
        with suppress(OSError, Timeout):
            if _is_left(outer, now):
                with FileLock(outer / _LOCK, timeout=0):
                    pass
                shutil.rmtree(outer, ignore_errors=True)


def _is_left(outer: Path, now: float) -> bool:
    """Whether it is one of ours, and not just made: in a folder for all users, another one may have given a link such a name."""
    known = outer.lstat()
    ours = stat.S_ISDIR(known.st_mode) and (sys.platform == "win32" or known.st_uid == os.geteuid())
    return ours and known.st_mtime < now - _JUST_MADE_S and stat.S_ISREG((outer / _LOCK).lstat().st_mode)
