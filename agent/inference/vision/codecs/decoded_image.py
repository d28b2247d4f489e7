"""The decoders' shared types: pixels, a decoded image, and limits for files."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import ImageTooLarge

Pixels: TypeAlias = NDArray[np.uint8]  # [height, width, 3], RGB unless said otherwise

# Pixels: above this, decoding whole takes 100 MB or more at the end.
LARGE = 16e6
WHOLE = 100  # megapixels: they take 500 MB


@dataclass(frozen=True, slots=True)
class DecodeLimits:
    """Limits of memory and processor time for a file and its decoder."""

    megapixels: float
    megabytes: float
    threads: int = 1
    give_back: Callable[[], None] | None = None  # releases reusable memory

    def check_pixels(self, width: int, height: int) -> None:
        """Check the pixel limit. Raises ImageTooLarge."""
        megapixels = width * height / 1e6
        if megapixels > self.megapixels:
            raise ImageTooLarge(megapixels=round(megapixels), limit=self.megapixels)

    def check_whole(self, width: int, height: int) -> None:
        """Check a format that is decoded whole with twice the memory of others: beyond `WHOLE` the limit is half. Raises ImageTooLarge."""
        if self.megapixels <= WHOLE:
            self.check_pixels(width, height)
            return
        megapixels, limit = width * height / 1e6, max(WHOLE, self.megapixels / 2)
        if megapixels > limit:
            raise ImageTooLarge(needed=str(math.ceil(2 * megapixels)), megapixels=round(megapixels), limit=math.floor(limit))

    def make_room(self, width: int, height: int) -> None:
        """Release memory before a large picture is decoded whole."""
        if self.give_back is not None and width * height > LARGE:
            self.give_back()

    def check_bytes(self, size: int) -> None:
        """Check the file size. Raises ImageTooLarge."""
        if size > self.megabytes * 1e6:
            raise ImageTooLarge(megabytes=round(size / 1e6), limit=self.megabytes)


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image, upright. `pixels` may be smaller than the image: `scale` is decoded size by full size."""

    pixels: Pixels
    scale: float
    width: int  # pixels of the upright image at full size
    height: int
    format: str
    taken_at: datetime | None = None  # by the camera's clock
    to_screen: Callable[[Pixels], None] | None = None  # converts pixels to sRGB in place; None if they are sRGB

    @property
    def reduced(self) -> bool:
        return self.scale < 1.0

    def shown(self, pixels: Pixels) -> Pixels:
        """Return derived pixels converted to sRGB. Whole images are not converted: faces are found in any colours."""
        if self.to_screen is None:
            return pixels
        pixels = pixels.copy()
        self.to_screen(pixels)
        return pixels
