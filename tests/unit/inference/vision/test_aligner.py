"""Chips: landmarks land on the template at any size and turn."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from agent.domain.face import Landmarks
from agent.inference.vision.aligner import CHIP_SIDE, FACE_SIDE, MARGIN, TEMPLATE, align, face_of, similarity
from agent.inference.vision.codecs import Image, Pixels

Whole = Callable[[Pixels], Image]


def placed(scale: float, degrees: float, x: float, y: float) -> Landmarks:
    """The template's points, scaled, turned and moved."""
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    a, b, d, e, f = ((c * u - s * v + x, s * u + c * v + y) for u, v in TEMPLATE)
    return a, b, d, e, f


def test_a_similarity_is_recovered_exactly() -> None:
    matrix = similarity(placed(2.5, 30, 100, 50), TEMPLATE)
    for (x, y), wanted in zip(placed(2.5, 30, 100, 50), TEMPLATE, strict=True):
        assert matrix @ (x, y, 1) == pytest.approx(wanted)


@pytest.mark.parametrize(("scale", "degrees"), [(0.4, 0), (1, 0), (1, 90), (1.9, -20), (3, 45), (7.3, 180)])
def test_landmarks_land_on_the_template(whole: Whole, scale: float, degrees: float) -> None:
    side = int(400 * scale)
    points = placed(scale, degrees, side / 2, side / 2)
    pixels = np.zeros((side, side, 3), np.uint8)
    for x, y in points:
        cv2.circle(pixels, (round(x), round(y)), round(2.5 * max(scale, 1)), (255, 255, 255), -1)
    chip = align(whole(pixels), points)
    assert chip.shape == (CHIP_SIDE, CHIP_SIDE, 3)
    for x, y in TEMPLATE:
        patch = chip[round(y) + MARGIN - 5 : round(y) + MARGIN + 6, round(x) + MARGIN - 5 : round(x) + MARGIN + 6, 0].astype(float)
        grid = np.mgrid[-5:6, -5:6]
        centre = [float((axis * patch).sum() / patch.sum()) for axis in grid]
        assert centre == pytest.approx([y - round(y), x - round(x)], abs=max(0.75, 0.5 / scale))


def test_a_large_face_is_averaged_not_sampled(whole: Whole) -> None:
    stripes = np.zeros((1200, 1200, 3), np.uint8)
    stripes[:, ::2] = 255
    chip = face_of(align(whole(stripes), placed(8, 0, 100, 100)))
    assert chip.min() > 100
    assert chip.max() < 155


def test_the_image_may_be_decoded_reduced() -> None:
    full = np.random.default_rng(3).integers(0, 255, (50, 50, 3), np.uint8).repeat(16, 0).repeat(16, 1)
    points = placed(4, 10, 150, 100)
    fine = align(Image(full, 1.0, 800, 800, "jpeg"), points).astype(int)
    half = align(Image(np.ascontiguousarray(full[::2, ::2]), 0.5, 800, 800, "jpeg"), points).astype(int)
    assert np.abs(fine - half).mean() < 12


def test_beyond_the_image_is_black(whole: Whole) -> None:
    chip = align(whole(np.full((200, 200, 3), 200, np.uint8)), placed(1, 0, -60, 0))
    assert chip[80, 5].tolist() == [0, 0, 0]
    assert chip[80, 150].tolist() == [200, 200, 200]


def test_a_face_wholly_outside_gives_a_black_chip(whole: Whole) -> None:
    assert align(whole(np.full((50, 50, 3), 200, np.uint8)), placed(5, 0, 9000, 9000)).max() == 0


def test_the_face_is_the_middle_of_the_chip() -> None:
    chip = np.zeros((CHIP_SIDE, CHIP_SIDE, 3), np.uint8)
    chip[MARGIN:-MARGIN, MARGIN:-MARGIN] = 1
    assert face_of(chip).shape == (FACE_SIDE, FACE_SIDE, 3)
    assert face_of(chip).min() == 1
