"""Cuttings on one canvas: what is seen there comes back to where it is in the photo."""

import numpy as np
import pytest

from agent.domain.face import Box
from agent.inference.vision.candidate_regions import CandidateRegion, skin_regions
from agent.inference.vision.codecs import Image
from agent.inference.vision.mosaic import CELL, CELLS, SIDE, Cell, mosaic, origin, place


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.5, 0.55, 1.0])
def test_what_lies_at_a_spot_is_in_the_middle_of_its_cell(ratio: float) -> None:
    pixels = np.zeros((1500, 2000, 3), np.uint8)
    half = round(5 / ratio)
    pixels[600 - half : 600 + half, 800 - half : 800 + half] = 255
    spots = [CandidateRegion(1600, 1200, ratio, 1.0)] * CELLS
    canvas = mosaic(Image(pixels, 0.5, 4000, 3000, "jpeg"), [Cell(spot) for spot in spots])
    assert canvas.shape == (1, SIDE, SIDE, 3)
    for number, spot in enumerate(spots):
        left, top = number % 4 * CELL, number // 4 * CELL
        rows, columns = np.nonzero(canvas[0, top : top + CELL, left : left + CELL, 0] > 127)
        x, y = columns.mean() + 0.5 + left, rows.mean() + 0.5 + top
        dx, dy = origin(number, spot)
        assert (x / ratio + dx, y / ratio + dy) == pytest.approx((1600, 1200), abs=1 / ratio)
        assert place(Box(x - 10, y - 10, 20, 20)) == number


def test_a_face_across_cells_or_as_large_as_one_belongs_to_none() -> None:
    assert place(Box(CELL - 10, 30, 20, 20)) is None
    assert place(Box(5, 5, 70, 70)) is None
    assert place(Box(SIDE + 20, 30, 20, 20)) is None


def test_a_spot_at_the_border_is_black_outside() -> None:
    white = Image(np.full((100, 100, 3), 255, np.uint8), 1.0, 100, 100, "png")
    cell = mosaic(white, [Cell(CandidateRegion(0, 0, 0.25, 1.0))])[0, :CELL, :CELL, 0]
    assert cell[: CELL // 2 - 1].max() == 0 == cell[:, : CELL // 2 - 1].max()
    assert cell[CELL // 2 + 1 : CELL // 2 + 20, CELL // 2 + 1 : CELL // 2 + 20].min() == 255


def test_patches_of_skin_are_spots_and_neither_grey_noise_nor_a_plain_wall_is() -> None:
    chance = np.random.default_rng(1)
    pixels = np.repeat(chance.integers(60, 200, (750, 1000, 1), np.uint8), 3, axis=2)
    assert skin_regions(pixels, 16) == []
    assert skin_regions(np.full((750, 1000, 3), (220, 180, 150), np.uint8), 16) == []
    pixels[300:309, 500:507] = 210, 160, 130
    ((x, y, weight),) = skin_regions(pixels, 16)
    assert (x, y) == pytest.approx((503.5, 304.5), abs=1.5)
    assert weight > 1
