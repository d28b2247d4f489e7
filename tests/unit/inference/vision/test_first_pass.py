"""What the passes start from: the places where a face may be, most likely first, each shown once."""

import numpy as np

from agent.domain.face import Box
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import Detection, five
from agent.inference.vision.first_pass import FACE_SIZE, FirstPass
from agent.inference.vision.mosaic import CELL

POINTS = five([(0.0, 0.0)] * 5)


def photo(*patches: tuple[int, int]) -> FirstPass:
    """A grey photo of 4,000 by 3,000, decoded at half the size, with patches of skin there."""
    pixels = np.full((1500, 2000, 3), 128, np.uint8)
    for x, y in patches:
        pixels[y // 2 : y // 2 + 18, x // 2 : x // 2 + 14] = 210, 160, 130
    return FirstPass(Image(pixels, 0.5, 4000, 3000, "jpeg"))


def hint(x: float, y: float, side: float, score: float) -> Detection:
    return Detection(Box(x - side / 2, y - side / 2, side, side), score, POINTS)


def test_the_photo_is_halved_once_and_no_further_than_its_first_pass_needs() -> None:
    survey = photo()
    assert survey.small.pixels.shape == (750, 1000, 3)
    assert (survey.small.scale, survey.small.width, survey.small.height) == (0.25, 4000, 3000)
    assert survey.small is survey.small


def test_a_strong_hint_comes_before_skin_and_a_weak_one_after() -> None:
    survey = photo((1000, 1000))
    (skin,) = survey.spots([], 16)
    strong, weak = hint(3000, 600, 48, skin.weight / 4 + 0.01), hint(500, 2500, 48, skin.weight / 4 - 0.01)
    places = [(spot.x, spot.y) for spot in survey.spots([weak, strong], 16)]
    assert places == [(3000, 600), (skin.x, skin.y), (500, 2500)]


def test_places_that_one_cell_shows_are_one_spot() -> None:
    near = CELL / 4 / (FACE_SIZE / 48) - 1
    spots = list(photo().spots([hint(1000, 1000, 48, 0.4), hint(1000 + near, 1000, 48, 0.3), hint(1000, 1002 + near, 48, 0.2)], 16))
    assert [(spot.x, spot.y) for spot in spots] == [(1000, 1000), (1000, 1002 + near)]


def test_there_are_no_more_spots_than_wanted() -> None:
    survey = photo((400, 400), (1400, 400), (2400, 400))
    assert len(list(survey.spots([], 16))) == 3
    assert list(survey.spots([], 2)) == list(survey.spots([], 16))[:2]


def test_from_farther_away_one_cell_shows_several_spots() -> None:
    near, wide = photo((1000, 1000), (1100, 1000), (3000, 2000)).at_two_scales([], 36.0, 2, 4)
    assert len(near) == 2
    assert len(wide) == 2


def test_colours_faded_to_grey_are_none() -> None:
    assert not photo().in_colour
    chance = np.random.default_rng(1)
    assert FirstPass(Image(chance.integers(0, 255, (75, 100, 3), np.uint8).repeat(20, 0).repeat(20, 1), 0.5, 4000, 3000, "jpeg")).in_colour
