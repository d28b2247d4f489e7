"""What is turned comes back to where it was."""

import numpy as np
import pytest

from agent.domain.face import Box
from agent.inference.vision.codecs import Image
from agent.inference.vision.orientation import TURNS, dominant_rotation, point_back, rotate_box_back, turn_of, turned

UPRIGHT = ((10.0, 10.0), (30.0, 10.0), (20.0, 20.0), (12.0, 30.0), (28.0, 30.0))


@pytest.mark.parametrize("turn", [0, *TURNS])
def test_a_pixel_of_the_turned_picture_is_found_again_in_the_original(turn: int) -> None:
    pixels = np.zeros((30, 50, 3), np.uint8)
    pixels[7, 11] = 255
    image = turned(Image(pixels, 0.5, 100, 60, "png"), turn)
    assert (image.width, image.height) == ((60, 100) if turn % 2 else (100, 60))
    row, column = (int(place[0]) for place in np.nonzero(image.pixels[:, :, 0]))
    assert point_back((2 * column + 1, 2 * row + 1), turn, 100, 60) == (23, 15)
    assert rotate_box_back(Box(2 * column, 2 * row, 2, 2), turn, 100, 60) == Box(22, 14, 2, 2)


@pytest.mark.parametrize("turn", [0, *TURNS])
def test_a_face_tells_the_turn_that_makes_it_upright(turn: int) -> None:
    # The face lies as in a picture of 40 by 40 pixels that this turn makes upright.
    one, two, three, four, five = (point_back(point, turn, 40, 40) for point in UPRIGHT)
    assert turn_of((one, two, three, four, five)) == turn


def test_most_faces_decide_and_without_a_majority_nothing_is_turned() -> None:
    one, two, three, four, five = (point_back(point, 1, 40, 40) for point in UPRIGHT)
    lying = (one, two, three, four, five)
    assert dominant_rotation([(0.9, lying), (0.8, lying), (0.9, UPRIGHT)]) == 1
    assert dominant_rotation([(0.8, lying), (0.9, UPRIGHT)]) == 0
    assert dominant_rotation([]) == 0 == dominant_rotation([(0.8, lying), (0.8, UPRIGHT)])
