"""Reference photos of a class list: a team server keeps the face that was cut out of each, without a file of the photo."""

import hashlib
from typing import Final

from agent.domain.face import Box, Landmarks

SOURCE: Final = "reference"
"""the source of their places"""
PREFIX: Final = "reference:"
_DIGITS: Final = 12  # of the key, as people see it

# The picture of the face that is kept, in place of the photo: see `agent.inference.vision.aligner`, which cuts it out.
SIDE: Final = 160
FACE: Final = Box(24, 24, 112, 112)
LANDMARKS: Final[Landmarks] = ((62.29, 75.70), (97.53, 75.50), (80.03, 95.74), (65.55, 116.37), (94.73, 116.20))


def key_of(sha256: str) -> str:
    """Return what stands for a photo's digest: the photo itself may be in the library, too, and is another image there."""
    return hashlib.sha256(f"{PREFIX}{sha256}".encode()).hexdigest()


def path_of(key: str) -> str:
    """Return the path of such a place."""
    return f"{PREFIX}{key}"


def shown(path: str) -> str | None:
    """Return the path of such a place as people see it; None for others."""
    return f"{SOURCE}/{path.removeprefix(PREFIX)[:_DIGITS]}" if path.startswith(PREFIX) else None
