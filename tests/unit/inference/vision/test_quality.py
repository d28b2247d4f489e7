"""Quality from landmarks and pixels."""

from collections.abc import Callable

import numpy as np
import pytest

from agent.domain.face import Box, Landmarks
from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detection import Detection
from agent.inference.vision.quality import quality, roll, sharpness, yaw

Whole = Callable[[Pixels], Image]
FRONTAL: Landmarks = ((30, 40), (70, 40), (50, 60), (35, 80), (65, 80))


def test_size_is_the_distance_between_the_eyes(whole: Whole) -> None:
    figures = quality(whole(np.zeros((100, 100, 3), np.uint8)), Detection(Box(0, 0, 100, 100), 0.9, FRONTAL))
    assert (figures.size, figures.yaw, figures.roll, figures.sharpness) == (40, 0, 0, 0)


def test_a_head_that_leans_clockwise_has_positive_roll() -> None:
    assert roll((0, 0), (10, 10)) == pytest.approx(45)
    assert roll((0, 10), (10, 0)) == pytest.approx(-45)


def test_a_nose_to_the_images_right_is_positive_yaw_whatever_the_lean() -> None:
    assert yaw((30, 40), (70, 40), (70, 60)) == pytest.approx(45)
    assert yaw((30, 40), (70, 40), (30, 60)) == pytest.approx(-45)
    assert yaw((40, 30), (40, 70), (20, 70)) == pytest.approx(45)  # the same head, turned by 90 degrees
    assert yaw((5, 5), (5, 5), (9, 9)) == 0


def test_blurring_lowers_sharpness_at_every_size(whole: Whole) -> None:
    noise = np.random.default_rng(2).integers(0, 255, (16, 16, 3), np.uint8)
    sharp = noise.repeat(16, 0).repeat(16, 1)
    ramp = np.repeat(np.linspace(0, 255, 256).astype(np.uint8)[None, :, None], 256, 0).repeat(3, 2)
    box = Box(0, 0, 256, 256)
    assert sharpness(whole(sharp), box) > 1000
    assert sharpness(whole(ramp), box) < 20


def test_a_box_beyond_the_edge_is_cut_and_one_outside_has_none(whole: Whole) -> None:
    noise = np.random.default_rng(2).integers(0, 255, (64, 64, 3), np.uint8)
    assert sharpness(whole(noise), Box(-500, -500, 1000, 1000)) == pytest.approx(sharpness(whole(noise), Box(0, 0, 64, 64)))
    assert sharpness(whole(noise), Box(200, 0, 10, 10)) == 0
