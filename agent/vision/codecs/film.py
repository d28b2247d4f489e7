"""The frames of moving GIFs, as far as all of them are looked at."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import PIL.Image

from agent.vision.codecs.colour import to_rgb
from agent.vision.codecs.decode import named
from agent.vision.codecs.image import Image, Limits, Pixels
from agent.vision.codecs.others import open_checked

# Of a film with more frames, or more pixels in all of them together, only the first frame is looked at, and copied.
MOST_FRAMES: Final = 100
LARGEST: Final = 50_000_000


def frames_of(opened: PIL.Image.Image) -> int:
    """How many frames are looked at."""
    count = int(getattr(opened, "n_frames", 1))
    return count if count <= MOST_FRAMES and count * opened.width * opened.height <= LARGEST else 1


def further_frames(data: bytes, limits: Limits) -> Iterator[Image]:
    """The frames after the first, but for those that look like the one before. Raises ImageError."""
    opened = named(data, limits, lambda name: open_checked(data, name, limits))
    before: Pixels | None = None
    for number in range(frames_of(opened)):
        pixels = named(data, limits, partial(_frame, opened, number))
        if before is not None and not np.array_equal(before, pixels):
            yield Image(pixels, 1.0, opened.width, opened.height, "gif")
        before = pixels


def _frame(opened: PIL.Image.Image, number: int, _: str) -> Pixels:
    opened.seek(number)
    return to_rgb(opened.convert("RGBA"), b"")
