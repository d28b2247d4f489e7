"""Many small cuttings of a photo on one canvas of a fixed size, so that one pass of the net checks them all."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.candidate_regions import CandidateRegion
from agent.inference.vision.codecs import Image, Pixels, resize

# A face of 24 pixels and its surroundings; four by four of them.
CELL, ACROSS = 80, 4
CELLS = ACROSS * ACROSS
SIDE = CELL * ACROSS
# Faces at the edge of a cell belong to another spot, and one this large fills it.
_EDGE, _LARGEST = 0.1 * CELL, 0.8 * CELL


@dataclass(frozen=True, slots=True)
class Cell:
    """A spot in one of the four turns: `turn` is the number of counter-clockwise quarter turns of its pixels."""

    spot: CandidateRegion
    turn: int = 0


def mosaic(image: Image, cells: Sequence[Cell]) -> NDArray[np.uint8]:
    """Return the net's input: uint8 [1, SIDE, SIDE, 3], row by row. At most CELLS of them."""
    canvas = np.zeros((1, SIDE, SIDE, 3), np.uint8)
    for number, cell in enumerate(cells):
        left, top = number % ACROSS * CELL, number // ACROSS * CELL
        canvas[0, top : top + CELL, left : left + CELL] = np.rot90(_cut(image, cell.spot), cell.turn)
    return canvas


def place(box: Box) -> int | None:
    """Return the number of the cell that shows this face; None if it lies across an edge, or is no face of one cell."""
    x, y = box.x + box.w / 2, box.y + box.h / 2
    column, row = int(x // CELL), int(y // CELL)
    inside = all(_EDGE < place < CELL - _EDGE for place in (x - column * CELL, y - row * CELL))
    if not inside or min(box.w, box.h) > _LARGEST or not (0 <= column < ACROSS and 0 <= row < ACROSS):
        return None
    return row * ACROSS + column


def origin(number: int, spot: CandidateRegion) -> tuple[float, float]:
    """Return what to add to a canvas position divided by the spot's ratio, for an upright cell, to get pixels of the full image."""
    left, top, half = number % ACROSS * CELL, number // ACROSS * CELL, CELL / 2
    return spot.x - (half + left) / spot.ratio, spot.y - (half + top) / spot.ratio


def _cut(image: Image, spot: CandidateRegion) -> Pixels:
    """Return the surroundings of a spot, uint8 [CELL, CELL, 3]; black outside the image."""
    pixels = image.pixels
    across, down = spot.ratio * image.width / pixels.shape[1], spot.ratio * image.height / pixels.shape[0]
    # The cell's left top corner, in decoded pixels.
    left, top = spot.x * spot.ratio / across - CELL / 2 / across, spot.y * spot.ratio / down - CELL / 2 / down
    if (factor := int(1 / across)) > 1:
        # Sampling directly would alias: first shrink the surroundings by area, in whole blocks.
        x, y = max(0, int(left)), max(0, int(top))
        columns = min(pixels.shape[1] - x, int(CELL / across) + factor) // factor
        rows = min(pixels.shape[0] - y, int(CELL / down) + factor) // factor
        if columns < 1 or rows < 1:
            return np.zeros((CELL, CELL, 3), np.uint8)
        pixels = resize(pixels[y : y + rows * factor, x : x + columns * factor], columns, rows)
        left, top, across, down = (left - x) / factor, (top - y) / factor, across * factor, down * factor
    # Decoded pixels p (centres at +0.5) to cell pixels.
    matrix = np.array([[across, 0, (0.5 - left) * across - 0.5], [0, down, (0.5 - top) * down - 0.5]])
    way = cv2.INTER_CUBIC if across > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(pixels, matrix, (CELL, CELL), flags=way), np.uint8)
