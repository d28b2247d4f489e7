"""Divides an image into the net's inputs: overlapping windows of few different sizes."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.codecs import Pixels

# A part of an image: left, top, right, bottom in pixels.
Area: TypeAlias = tuple[int, int, int, int]

# The net's memory grows with its input (1 GB at 2560): larger images are processed in overlapping windows.
WINDOW = 1280
OVERLAP = 160
# With more windows than this, joining is skipped.
MAX_WINDOWS = 100
# The margin around a hint, in its sizes: in a crowd other faces nearby left no hint.
AROUND = 14.0
# Pixels: up to this side, canvases have finer steps.
_SMALL = 640
# Shorter by longer side of a frame: a camera's 16:9, 3:2, 4:3, and a square. The net's input must be a multiple of the step.
_ASPECTS, _STEP = (9 / 16, 2 / 3, 3 / 4, 1.0), 32


def spans(length: int, window: int = WINDOW, overlap: int = OVERLAP) -> list[tuple[int, int]]:
    """Divide a side into overlapping spans that the net can process, as few and as short as possible.

    >>> spans(1000)
    [(0, 1000)]
    >>> spans(1888)
    [(0, 1024), (864, 1888)]
    """
    count = max(1, -(-(length - overlap) // (window - overlap)))
    size = -(-(length + (count - 1) * overlap) // count)
    return [(start, start + size) for start in (i * (length - size) // max(1, count - 1) for i in range(count))]


def grid(width: int, height: int, window: int = WINDOW, overlap: int = OVERLAP) -> list[Area]:
    """Return windows that cover everything."""
    across, down = spans(width, window, overlap), spans(height, window, overlap)
    return [(left, top, right, bottom) for top, bottom in down for left, right in across]


def surroundings(hint: Box) -> Box:
    """Return the area to search because of a hint."""
    around = max(hint.w, hint.h) * AROUND
    return Box(hint.x - around, hint.y - around, hint.w + 2 * around, hint.h + 2 * around)


def windows(wanted: Sequence[Box], width: int, height: int) -> list[Area]:
    """Return windows that contain all wanted areas, joined if that costs no more; or those that cover everything, if that is cheaper."""
    everything = grid(width, height)
    joined: list[Area] = []
    for box in sorted(wanted, key=lambda box: (box.x, box.y)):
        left, top = max(0, int(box.x)), max(0, int(box.y))
        right, bottom = min(width, math.ceil(box.x + box.w)), min(height, math.ceil(box.y + box.h))
        if max(right - left, bottom - top) > WINDOW or len(joined) == MAX_WINDOWS:
            return everything
        if left >= right or top >= bottom:
            continue
        area = (left, top, right, bottom)
        while (other := next((each for each in joined if _joins(each, area)), None)) is not None:
            joined.remove(other)
            area = _union(other, area)
        joined.append(area)
    return joined if sum(map(_cost, joined)) < sum(map(_cost, everything)) else everything


def _joins(one: Area, other: Area) -> bool:
    union = _union(one, other)
    return max(union[2] - union[0], union[3] - union[1]) <= WINDOW and _cost(union) <= _cost(one) + _cost(other)


def _union(one: Area, other: Area) -> Area:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _cost(area: Area) -> int:
    """Return the number of input pixels."""
    width, height = canvas_size(area[2] - area[0], area[3] - area[1])
    return width * height


def canvas_size(width: int, height: int, step: int | None = None) -> tuple[int, int]:
    """Return one of few sizes, multiples of `step`, so that the engine's memory does not grow with every new shape."""
    step = step or (128 if max(height, width) <= _SMALL else 256)
    return -(-width // step) * step, -(-height // step) * step


def frame_size(width: int, height: int) -> tuple[int, int]:
    """Return the smallest of seven sizes with this longer side that holds the picture, upright or lying.

    >>> frame_size(800, 600), frame_size(450, 800), frame_size(800, 200)
    ((800, 608), (480, 800), (800, 480))
    """
    longer = _stepped(max(width, height))
    shorter = next(side for side in (_stepped(longer * aspect) for aspect in _ASPECTS) if side >= min(width, height))
    return (longer, shorter) if width >= height else (shorter, longer)


def _stepped(side: float) -> int:
    return math.ceil(side / _STEP) * _STEP


def padded(pixels: Pixels, step: int | None = None) -> NDArray[np.uint8]:
    """Return the image in the top left of a black canvas of a size of `canvas_size`."""
    return on_canvas(pixels, canvas_size(pixels.shape[1], pixels.shape[0], step))


def on_canvas(pixels: Pixels, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the image in the top left of a black canvas of that width and height."""
    height, width = pixels.shape[:2]
    canvas = np.zeros((1, size[1], size[0], 3), np.uint8)
    canvas[0, :height, :width] = pixels
    return canvas
