"""Landmarks of faces that lie on their side: found again in the direction in which the detector sees an upright face."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks
from agent.inference.vision.aligner import CHIP_SIDE, MARGIN, TEMPLATE, align
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import Detection, five
from agent.inference.vision.oriented_landmarks import align_again

IMAGE = Image(np.random.default_rng(2).integers(0, 255, (400, 400, 3), np.uint8), 1.0, 400, 400, "jpeg")
WRONG: Landmarks = five([(180, 200), (190, 205), (200, 195), (185, 190), (195, 210)])
FACE = Detection(Box(150, 150, 100, 100), 0.8, WRONG)
UPRIGHT = Detection(Box(40, 40, 80, 80), 0.9, five([(x + MARGIN, y + MARGIN) for x, y in TEMPLATE]))


class Look:
    """Sees an upright face in some of the pictures it is shown, counted from 0."""

    def __init__(self, *seen: int, face: Detection = UPRIGHT) -> None:
        self.seen, self.face, self.shown = seen, face, list[NDArray[np.uint8]]()

    def __call__(self, canvas: NDArray[np.uint8], min_score: float) -> list[Detection]:
        self.shown.append(canvas)
        return [self.face] if len(self.shown) - 1 in self.seen else []


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_face_is_found_in_its_direction(quarters: int) -> None:
    look = Look(2 + quarters)  # the chip and its mirror image show no face
    chip, face = align_again(look, IMAGE, FACE)
    assert (face.box, face.score) == (FACE.box, FACE.score)
    eye, other_eye = np.array(face.landmarks[:2])
    angle = round(np.degrees(np.arctan2(*(other_eye - eye)[::-1]))) % 360
    assert angle == -90 * quarters % 360
    assert np.array_equal(chip, align(IMAGE, face.landmarks)) and len(look.shown) == 8


def test_a_face_that_the_second_pass_confirms_is_not_searched() -> None:
    look = Look(0)
    assert align_again(look, IMAGE, FACE)[1] is FACE and len(look.shown) == 2


@pytest.mark.parametrize(
    "seen",
    [
        Detection(UPRIGHT.box, 0.9, five([(CHIP_SIDE - x, CHIP_SIDE - y) for x, y in UPRIGHT.landmarks])),  # upside down
        Detection(UPRIGHT.box, 0.9, five([(x, 80 + (y - 80) / 5) for x, y in UPRIGHT.landmarks])),  # not arranged as a face's
        Detection(Box(90, 90, 80, 80), 0.9, UPRIGHT.landmarks),  # another face
    ],
)
def test_what_is_no_upright_face_in_the_middle_is_not_taken(seen: Detection) -> None:
    chip, face = align_again(Look(2, 3, 4, 5, face=seen), IMAGE, FACE)
    assert face is FACE and np.array_equal(chip, align(IMAGE, WRONG))
