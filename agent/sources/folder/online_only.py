"""Detects files stored only in a cloud: their names are local, and reading them would download them."""

import os
import sys
from typing import Final

# Windows (OneDrive, Dropbox, iCloud): FILE_ATTRIBUTE_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS.
_WINDOWS: Final = 0x1000 | 0x40000 | 0x400000
# macOS (iCloud and every other File Provider): SF_DATALESS.
_MACOS: Final = 0x40000000


def is_online_only(path: str) -> bool:
    """Whether the content is not on this computer. Linux has no such flag: there it always counts as local."""
    try:
        facts = os.lstat(path)
    except (OSError, ValueError):
        return False  # the reader reports the reason
    return told_online_only(sys.platform, getattr(facts, "st_file_attributes", 0), getattr(facts, "st_flags", 0))


def told_online_only(platform: str, attributes: int, flags: int) -> bool:
    """The same from a system's file data: Windows' attributes, macOS' flags."""
    if platform == "win32":
        return bool(attributes & _WINDOWS)
    return platform == "darwin" and bool(flags & _MACOS)
