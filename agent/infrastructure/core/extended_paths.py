"""Paths that Windows takes as they are. Others it refuses if they are long, shortens if a name ends in a dot, or takes for a device."""

import re
import sys
from typing import Final

_MARK: Final = "\\\\?\\"
_SHARE: Final = "UNC\\"
_LONG: Final = 240  # a folder may have 248 characters, a file 260, unless the computer's administrator changed that
# Photos get such names from other systems, over the network or on their disks.
_ODD: Final = re.compile(r"[ .](\\|$)|\\(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\.[^\\]*)?(\\|$)", re.IGNORECASE)


def verbatim(path: str) -> str:
    """Return how a file or folder of this full path is to be named to the system."""
    if sys.platform != "win32" or path.startswith(_MARK) or not (len(path) >= _LONG or _ODD.search(path)):
        return path
    if path.startswith("\\\\"):
        return _MARK + _SHARE + path[2:]
    return _MARK + path if path[1:3] == ":\\" else path


def plain(path: str) -> str:
    """Return a full path of Windows without the mark of verbatim ones; one that can't be without it stays."""
    if not path.startswith(_MARK):
        return path
    rest = path.removeprefix(_MARK)
    if rest[: len(_SHARE)].upper() == _SHARE:
        return "\\\\" + rest[len(_SHARE) :]
    return rest if rest[1:3] == ":\\" else path
