"""Paths as users type them. Windows and macOS ignore the case of letters: there a folder keeps the one name that it has on the disk."""

import os
import sys
import unicodedata
from collections.abc import Iterable
from typing import Final

from agent.infrastructure.core.extended_paths import plain, verbatim

_LONGEST: Final = 32_768
IGNORES_CASE: bool = sys.platform in ("win32", "darwin")


def full_path(path: str) -> str:
    """Return the absolute path; on Windows without the mark of verbatim ones, so that a file has one path."""
    full = os.path.abspath(path)  # noqa: PTH100 - pathlib keeps ".."
    return plain(full) if sys.platform == "win32" else full


def real_path(path: str) -> str:
    """Return where links lead; the path itself if the system doesn't tell, as Windows with some names."""
    try:
        return plain(os.path.realpath(verbatim(path)))
    except OSError:
        return path


def typed_path(path: str) -> str:
    """Return the absolute path, with links as they are named, and the case that the disk has. What isn't there stays as typed.

    Reads each folder above, where case is ignored.
    """
    full = full_path(path)
    if not IGNORES_CASE:
        return full
    drive, below = os.path.splitdrive(full)
    found = drive.upper() + os.sep if len(drive) < len("C:\\") else drive + os.sep  # the share of another computer stays as typed
    for name in filter(None, below.split(os.sep)):  # noqa: PTH206 - as above
        found = os.path.join(found, _on_disk(found, name))  # noqa: PTH118 - paths are strings throughout
    return found


def meant(path: str, known: Iterable[str]) -> str:
    """Return that of the known absolute paths which a typed one means, else the typed one as `typed_path` returns it."""
    return known_path(path, known) or typed_path(path)


def known_path(path: str, known: Iterable[str]) -> str | None:
    """Return that of the known absolute paths which a typed one means, if any. Reads no folder."""
    full = comparable(full_path(path))
    return next((each for each in known if comparable(each) == full), None)


def with_known_prefix(path: str, known: Iterable[str]) -> str:
    """Return the path of a file as it begins with that of the known folders it is in, even if that has another case than the disk.

    Of folders inside one another, the innermost counts. Reads no folder.
    """
    if not IGNORES_CASE:
        return path
    names = path.split(os.sep)  # noqa: PTH206 - paths are strings throughout
    for folder in sorted((each.rstrip(os.sep) for each in known), key=len, reverse=True):
        above = os.sep.join(names[: folder.count(os.sep) + 1])  # noqa: PTH118 - as above
        if comparable(above) == comparable(folder):
            return folder + path[len(above) :]
    return path


def comparable(path: str) -> str:
    """Return what two paths of one file have in common on this system, though they are typed differently."""
    return unicodedata.normalize("NFC", path).casefold() if IGNORES_CASE else path


def _on_disk(folder: str, name: str) -> str:
    wanted, found = comparable(name), name
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == name:
                    return name
                if comparable(entry.name) == wanted:
                    found = entry.name
    except OSError:
        return name
    return _long_name(folder, name) if found is name and "~" in name else found


def _long_name(folder: str, name: str) -> str:
    """Return the name of what Windows also calls by a short one, such as `PICTUR~1`: programs give it in the paths of temporary files."""
    if sys.platform != "win32":
        return name
    import ctypes

    buffer = ctypes.create_unicode_buffer(_LONGEST)
    path = os.path.join(folder, name)  # noqa: PTH118 - paths are strings throughout
    return os.path.basename(buffer.value) if 0 < ctypes.windll.kernel32.GetLongPathNameW(path, buffer, _LONGEST) < _LONGEST else name  # noqa: PTH119
