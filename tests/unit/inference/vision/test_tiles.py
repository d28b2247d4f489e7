"""How an image is cut into what a net is given."""

import random
from itertools import pairwise

import numpy as np

from agent.domain.face import Box
from agent.inference.vision.tiles import grid, padded, spans, windows


def test_the_net_sees_few_different_shapes() -> None:
    shapes = {padded(np.zeros((height, 640, 3), np.uint8)).shape for height in range(100, 641)}
    assert len(shapes) == 5


def test_stretches_overlap_and_cover_everything_and_are_as_short_as_can_be() -> None:
    assert spans(1280) == [(0, 1280)]
    assert spans(2000) == [(0, 1080), (920, 2000)]
    assert spans(2400) == [(0, 1280), (1120, 2400)]
    for length in range(1, 9000, 37):
        cut = spans(length)
        assert (cut[0][0], cut[-1][1]) == (0, length)
        assert all(0 < end - start <= 1280 for start, end in cut)
        assert all(160 <= end - following <= 160 + len(cut) for (_, end), (following, _) in pairwise(cut))


def test_what_is_looked_at_closely_never_costs_more_than_the_whole_image() -> None:
    everywhere = [Box(x, y, 60, 60) for x in range(0, 2000, 90) for y in range(0, 1500, 90)]
    looked_at, all_of_it = (
        [(right - left) * (bottom - top) for left, top, right, bottom in areas]
        for areas in (windows(everywhere, 2000, 1500), grid(2000, 1500))
    )
    assert sum(looked_at) <= sum(all_of_it)
    far_apart = [Box(x, y, 60, 60) for x, y in ((0, 0), (1900, 0), (0, 1400), (1900, 1400), (1000, 700))]
    assert len(windows(far_apart, 2000, 1500)) == 5
    assert windows([Box(-900, -900, 1800, 1800)] * 3, 2000, 1500) == [(0, 0, 900, 900)]


def test_all_that_is_wanted_lies_whole_in_a_window() -> None:
    chance = random.Random(7)
    for count in (1, 3, 12):
        wanted = [Box(chance.uniform(-60, 1900), chance.uniform(-60, 1400), 140, 144) for _ in range(count)]
        areas = windows(wanted, 2000, 1500)
        for box in wanted:
            left, top, right, bottom = max(0, box.x), max(0, box.y), min(2000, box.x + box.w), min(1500, box.y + box.h)
            assert any(area[0] <= left and area[1] <= top and area[2] >= right and area[3] >= bottom for area in areas)
        assert all(area[2] - area[0] <= 1280 and area[3] - area[1] <= 1280 for area in areas)
