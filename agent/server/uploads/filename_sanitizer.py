"""Makes a browser's file name safe for every system."""

import re
import unicodedata
from typing import Final

from agent.domain.errors import UploadType
from agent.domain.video import has_pictures

LONGEST: Final = 120  # bytes, with room for a number that tells it from another
_REFUSED: Final = re.compile(r'[<>:"|?*]')
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])")
_NAMELESS: Final = "photo"


def safe_name(given: str) -> str:
    """Return the name without folders, invisible characters and what some system refuses. Raises UploadType unless it is a photo's or a
    video's.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    visible = "".join(each for each in last if unicodedata.category(each)[0] != "C")
    stem, dot, ending = visible.rpartition(".")
    if not dot or not ending.isascii() or not has_pictures(f"x.{ending}"):
        raise UploadType
    stem = _REFUSED.sub("_", " ".join(stem.split())).strip(". ")
    # Windows takes the part before the first dot for a device.
    if _DEVICES.fullmatch(stem.partition(".")[0].rstrip()):
        stem = f"_{stem}"
    return f"{_cut(stem, LONGEST - len(ending) - 1) or _NAMELESS}.{ending}"


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore").rstrip(". ")
