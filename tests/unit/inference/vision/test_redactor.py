"""Covers on pixels: what each style leaves of what was below, and covers that are none."""

import math
from itertools import pairwise

import numpy as np
import pytest

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision.redactor import CELLS, SOLID, area_of, covered, redact

STYLES = list(Style)
MIDDLE = Box(40, 30, 80, 80)


def noise(seed: int = 1, size: tuple[int, int] = (140, 160)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("style", STYLES)
def test_of_a_noisy_picture_hardly_a_pixel_keeps_its_colour(style: Style, shape: Shape) -> None:
    before = noise()
    after = before.copy()
    cover = Cover(MIDDLE, Look(style, shape), 15)
    redact(after, [cover])
    below = covered([cover], 160, 140)
    same = (after == before).all(axis=2)[below]
    assert same.mean() < 0.001


def test_solid_is_one_colour_whatever_was_below() -> None:
    for picture in (noise(1), np.zeros((140, 160, 3), np.uint8), np.full((140, 160, 3), 255, np.uint8)):
        redact(picture, [Cover(MIDDLE)])
        assert (picture[covered([Cover(MIDDLE)], 160, 140)] == SOLID).all()


@pytest.mark.parametrize("style", [Style.MOSAIC, Style.BLUR])
@pytest.mark.parametrize("hiding", [Style.SOLID, Style.EMOJI])
def test_no_mean_is_taken_of_what_a_whole_cover_hides(style: Style, hiding: Style) -> None:
    """A weaker cover beside it would tell of the colours below."""
    covers = [Cover(Box(50, 40, 60, 60), Look(style, Shape.BOX)), Cover(Box(60, 50, 30, 30), Look(hiding, Shape.BOX))]
    results = []
    for below in (0, 255):
        picture = noise(1)
        picture[covered(covers[1:], 160, 140)] = below
        redact(picture, covers)
        results.append(picture)
    assert np.array_equal(results[0], results[1])


@pytest.mark.parametrize("style", [Style.MOSAIC, Style.BLUR])
def test_mosaic_and_blur_tell_no_more_than_the_means_of_a_coarse_grid(style: Style) -> None:
    cover = Cover(MIDDLE, Look(style, Shape.BOX))
    area = area_of(cover, 160, 140)
    assert area is not None
    one = noise()
    other = one.copy()
    ys, xs = (np.linspace(first, last, CELLS + 1).round().astype(int) for first, last in ((area.top, area.bottom), (area.left, area.right)))
    shuffle = np.random.default_rng(3)
    for top, bottom in pairwise(ys):
        for left, right in pairwise(xs):
            cell = other[top:bottom, left:right].reshape(-1, 3)
            other[top:bottom, left:right] = shuffle.permutation(cell).reshape(bottom - top, right - left, 3)
    assert not np.array_equal(one, other)
    for each in (one, other):
        redact(each, [cover])
    assert np.array_equal(one, other)


def test_a_small_face_is_not_shown_by_cells_as_small_as_pixels() -> None:
    picture = noise()
    redact(picture, [Cover(Box(10, 10, 12, 12), Look(Style.MOSAIC, Shape.BOX))])
    assert len(np.unique(picture[12:20, 12:20].reshape(-1, 3), axis=0)) <= 4


def test_two_covers_that_overlap_both_hold() -> None:
    one, other = Cover(Box(10, 10, 60, 60), Look(Style.MOSAIC)), Cover(Box(40, 40, 60, 60))
    picture = noise()
    redact(picture, [other, one])
    assert (picture[covered([other], 160, 140)] == SOLID).all()


def test_the_order_of_channels_is_told() -> None:
    rgb, bgr = noise(), np.ascontiguousarray(noise()[:, :, ::-1])
    cover = Cover(MIDDLE, Look(Style.EMOJI))
    redact(rgb, [cover])
    redact(bgr, [cover], order="BGR")
    assert np.array_equal(rgb, bgr[:, :, ::-1])


def test_a_tilted_cover_stands_as_it_leans() -> None:
    mask = covered([Cover(Box(70, 20, 20, 100), Look(shape=Shape.BOX), 90)], 160, 140)
    rows, columns = np.nonzero(mask)
    assert abs(rows.mean() - 69.5) < 1 and abs(columns.mean() - 79.5) < 1
    assert np.ptp(columns) > 95 and np.ptp(rows) < 25
    clockwise = covered([Cover(Box(70, 20, 20, 100), Look(shape=Shape.BOX), 45)], 160, 140)
    assert clockwise[45, 105] and not clockwise[45, 55]


@pytest.mark.parametrize("shape", Shape)
def test_a_cover_as_small_as_can_be_covers_the_pixel_it_is_in(shape: Shape) -> None:
    assert covered([Cover(Box(5.5, 7.5, 0, 0), Look(shape=shape))], 20, 20)[7, 5]


@pytest.mark.parametrize("style", STYLES)
def test_a_cover_outside_of_the_picture_changes_nothing_and_a_huge_one_everything(style: Style) -> None:
    picture = noise()
    redact(picture, [Cover(Box(500, 500, 50, 50), Look(style)), Cover(Box(-900, 3, 50, 50), Look(style))])
    assert np.array_equal(picture, noise())
    huge = Cover(Box(-1e8, -1e8, 2e8, 2e8), Look(style))
    assert covered([huge], 160, 140).all()
    redact(picture, [huge])
    assert not np.array_equal(picture, noise())


@pytest.mark.parametrize(
    "cover",
    [
        Cover(Box(math.nan, 0, 1, 1)),
        Cover(Box(0, 0, math.inf, 1)),
        Cover(Box(0, 0, 1, 1), tilt=math.nan),
        Cover(Box(0, 0, -1, 1)),
        Cover(Box(0, 1e12, 1, 1)),
    ],
)
def test_numbers_that_are_none_of_a_picture_are_refused(cover: Cover) -> None:
    picture = noise()
    with pytest.raises(ValueError, match="a cover"):
        redact(picture, [Cover(MIDDLE), cover])
    assert np.array_equal(picture, noise())


@pytest.mark.parametrize("style", [Style.MOSAIC, Style.BLUR])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_no_colour_from_below_a_solid_cover_is_in_a_mean_beside_it(style: Style, order: tuple[int, int]) -> None:
    """What is below both would be told by the colours of the cells that reach out from below."""
    pair = (Cover(Box(40, 40, 60, 60), Look(Style.SOLID, Shape.BOX)), Cover(Box(60, 20, 80, 80), Look(style, Shape.BOX)))
    covers = [pair[number] for number in order]
    hidden = covered(covers[order[0] : order[0] + 1], 200, 150)
    black, white = (np.full((150, 200, 3), 90, np.uint8) for _ in range(2))
    white[hidden] = 255
    for picture in (black, white):
        redact(picture, covers)
    assert np.array_equal(black, white)
