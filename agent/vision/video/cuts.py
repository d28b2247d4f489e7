"""Tells where another scene begins."""

from collections import deque
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

# Grey levels (of 256) that a frame differs from the one before it, on average: less is no cut,
LEAST: Final = 14.0
# and so many times more than the frames before it did.
TIMES: Final = 3.5
_MEMORY: Final = 8  # frames
_GRID: Final = (64, 36)
_ENOUGH: Final = 216  # rows: of more, some are left out


class Cuts:
    """Is shown the frames one after another."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def begins(self, luma: NDArray[np.uint8] | NDArray[np.uint16], depth: int = 8) -> bool:
        """Whether a scene begins with this frame. `luma` is [height, width], of `depth` bits. The first frame begins none."""
        step = max(1, min(luma.shape) // _ENOUGH)
        few = np.ascontiguousarray(luma[::step, ::step], np.float32)
        small = np.asarray(cv2.resize(few, _GRID, interpolation=cv2.INTER_AREA) / (1 << (depth - 8)), np.float32)
        last, self._last = self._last, small
        if last is None:
            return False
        differs = float(np.abs(small - last).mean())
        usual = float(np.median(self._usual)) if self._usual else 0.0
        self._usual.append(differs)
        if differs < max(LEAST, TIMES * usual):
            return False
        self._usual.clear()
        return True
