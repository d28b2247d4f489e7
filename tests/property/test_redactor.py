"""Any covers of any style on any picture: what they touch is gone, and nothing else changes."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision.redactor import covered, redact

WIDTH, HEIGHT = 70, 50
OPAQUE = (Style.SOLID, Style.EMOJI)
PLACE = st.floats(-200, 200) | st.sampled_from([-1e9, -1e6, 0.0, 0.5, 1e6, 1e9])
SIDE = st.floats(0, 200) | st.sampled_from([0.0, 1e-9, 0.3, 1e6, 1e9])


def covers(styles: tuple[Style, ...] = tuple(Style)) -> st.SearchStrategy[list[Cover]]:
    look = st.builds(Look, st.sampled_from(styles), st.sampled_from(Shape))
    return st.lists(st.builds(Cover, st.builds(Box, PLACE, PLACE, SIDE, SIDE), look, st.floats(-360, 360)), max_size=4)


def picture(seed: int, channels: int = 3, kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, np.iinfo(kind).max, (HEIGHT, WIDTH, channels), kind)


def inside(cover: Cover, x: float, y: float) -> bool:
    """Whether a point lies in the cover, by its very definition."""
    box, turn = cover.box, math.radians(cover.tilt)
    dx, dy = x - (box.x + box.w / 2), y - (box.y + box.h / 2)
    across, down = dx * math.cos(turn) + dy * math.sin(turn), dy * math.cos(turn) - dx * math.sin(turn)
    if not (box.w and box.h):
        return False
    u, v = 2 * across / box.w, 2 * down / box.h
    return u * u + v * v <= 1 if cover.look.shape is Shape.ELLIPSE else max(abs(u), abs(v)) <= 1


@given(covers(), st.integers(0, 9), st.sampled_from([1, 3]), st.sampled_from([np.uint8, np.uint16]))
@settings(max_examples=150)
def test_what_no_cover_touches_stays_to_the_last_bit(drawn: list[Cover], seed: int, channels: int, kind: type) -> None:
    before = picture(seed, channels, kind)
    after = before.copy()
    redact(after, drawn)
    outside = ~covered(drawn, WIDTH, HEIGHT)
    assert np.array_equal(after[outside], before[outside])


@given(covers(OPAQUE), st.sampled_from([1, 3]))
@settings(max_examples=150)
def test_below_an_opaque_cover_all_pictures_are_the_same(drawn: list[Cover], channels: int) -> None:
    one, other = picture(1, channels), picture(2, channels)
    redact(one, drawn)
    redact(other, drawn)
    below = covered(drawn, WIDTH, HEIGHT)
    assert np.array_equal(one[below], other[below])


@given(covers(), covers(OPAQUE))
@settings(max_examples=150)
def test_an_opaque_cover_also_keeps_what_is_below_it_out_of_others_means(weaker: list[Cover], opaque: list[Cover]) -> None:
    one, other = picture(1), picture(1)
    below = covered(opaque, WIDTH, HEIGHT)
    other[below] = picture(2)[below]
    for each in (one, other):
        redact(each, [*weaker, *opaque])
    assert np.array_equal(one, other)


@given(covers(), st.floats(0, WIDTH), st.floats(0, HEIGHT))
@settings(max_examples=300)
def test_a_pixel_that_is_touched_anywhere_is_covered(drawn: list[Cover], x: float, y: float) -> None:
    if any(inside(cover, x, y) for cover in drawn):
        assert covered(drawn, WIDTH, HEIGHT)[min(HEIGHT - 1, int(y)), min(WIDTH - 1, int(x))]


@given(covers())
@settings(max_examples=150)
def test_pixels_farther_away_than_two_are_not_covered(drawn: list[Cover]) -> None:
    mask = covered(drawn, WIDTH, HEIGHT)
    grown = [Cover(Box(c.box.x - 3, c.box.y - 3, c.box.w + 6, c.box.h + 6), c.look, c.tilt) for c in drawn]
    for y, x in np.argwhere(mask)[:: max(1, mask.sum() // 50)]:
        assert any(inside(cover, x + 0.5, y + 0.5) for cover in grown)
