"""Detects where a scene begins."""

from collections import deque
from collections.abc import Sequence
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

# Mean grey levels (of 256) by which a frame differs from the previous one: less is no cut,
LEAST: Final = 14.0
# and this many times more than for the frames before.
TIMES: Final = 3.5
_MEMORY: Final = 8  # frames
_GRID: Final = (64, 36)
_ENOUGH: Final = 216  # rows: larger frames are subsampled

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]


class Cuts:
    """Gets the frames one after another."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._size: tuple[int, ...] = ()
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def begins(self, planes: Sequence[Plane], depth: int = 8) -> bool:
        """Return whether a scene begins with this frame; a frame of another size always begins one, the first frame never.

        Each plane is [height, width], of `depth` bits.
        """
        small = np.stack([_shrunk(plane) for plane in planes]) / np.float32(1 << (depth - 8))
        last, self._last = self._last, small
        size, self._size = self._size, planes[0].shape
        if last is None:
            return False
        if size != self._size or last.shape != small.shape:
            self._usual.clear()
            return True
        # Brightness and both colours: equally bright scenes differ in these.
        differs = float(np.abs(small - last).mean(axis=(1, 2)).sum())
        usual = float(np.median(self._usual)) if self._usual else 0.0
        self._usual.append(differs)
        if differs < max(LEAST, TIMES * usual):
            return False
        self._usual.clear()
        return True


def _shrunk(plane: Plane) -> NDArray[np.float32]:
    step = max(1, min(plane.shape) // _ENOUGH)
    few = np.ascontiguousarray(plane[::step, ::step], np.float32)
    return np.asarray(cv2.resize(few, _GRID, interpolation=cv2.INTER_AREA), np.float32)
