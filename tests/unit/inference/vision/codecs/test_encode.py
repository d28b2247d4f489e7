"""Images brought to another size."""

from functools import cache

import cv2
import numpy as np
import pytest

from agent.inference.vision.codecs.decoded_image import Pixels
from agent.inference.vision.codecs.encode import resize


@cache
def picture(width: int, height: int) -> Pixels:
    """Soft spots of all sizes, as a photo has them, without noise finer than a pixel."""
    spots = np.random.default_rng(1).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return np.asarray(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize("size", [(640, 480), (500, 375), (480, 360), (320, 240), (999, 749), (1200, 900)])
def test_a_resized_picture_looks_as_area_averaging_would_make_it(size: tuple[int, int]) -> None:
    before = picture(1000, 750)
    after = resize(before, *size)
    assert after.shape == (size[1], size[0], 3)
    wanted = cv2.resize(before, size, interpolation=cv2.INTER_AREA)
    assert np.mean(cv2.absdiff(after, wanted)) < 6


def test_much_smaller_means_that_every_pixel_takes_part() -> None:
    """A fine pattern becomes grey, whether its size can be halved in whole blocks or not."""
    for width in (1000, 1001):
        pattern = np.zeros((800, width, 3), np.uint8)
        pattern[::2, ::2] = pattern[1::2, 1::2] = 255
        small = resize(pattern, 240, 200)
        assert np.all(np.abs(small.astype(int) - 127) <= 16)


def test_nothing_is_done_to_a_picture_of_the_wanted_size() -> None:
    before = picture(64, 48)
    assert resize(before, 64, 48) is before
