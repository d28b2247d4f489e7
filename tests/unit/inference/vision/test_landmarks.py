"""Points placed more exactly by looking again."""

import numpy as np
import pytest

from agent.domain.face import Box, Landmarks
from agent.inference.vision.aligner import CHIP_SIDE, FARTHEST, MARGIN, TEMPLATE, placement, refined
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import Detection, five

IMAGE = Image(np.random.default_rng(2).integers(0, 255, (400, 400, 3), np.uint8), 1.0, 400, 400, "jpeg")
COARSE: Landmarks = five([(100 + 2 * x, 90 + 2 * y) for x, y in TEMPLATE])


def seen(dx: float, dy: float, score: float = 0.9) -> Detection:
    """A face whose points lie that far from where the chip should have them."""
    return Detection(Box(40 + dx, 40 + dy, 80, 80), score, five([(x + MARGIN + dx, y + MARGIN + dy) for x, y in TEMPLATE]))


def mirrored(face: Detection) -> Detection:
    points = [(CHIP_SIDE - 1 - x, y) for x, y in face.landmarks]
    return Detection(Box(CHIP_SIDE - 80 - face.box.x, face.box.y, 80, 80), face.score, five([points[i] for i in (1, 0, 2, 4, 3)]))


class Look:
    """Says one thing of the chip and another of its mirror image."""

    def __init__(self, *answers: list[Detection]) -> None:
        self.answers = list(answers)
        self.shown: list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]] = []

    def __call__(self, canvas: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], min_score: float) -> list[Detection]:
        self.shown.append(canvas)
        return self.answers[len(self.shown) - 1]


def in_chip(landmarks: Landmarks) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    matrix = placement(IMAGE, COARSE)
    return np.array([matrix @ (x, y, 1) for x, y in landmarks])


def test_both_looks_are_averaged_and_brought_back_to_the_image() -> None:
    look = Look([seen(2, 1)], [mirrored(seen(4, 1))])
    found = refined(IMAGE, COARSE, look)
    assert in_chip(found) == pytest.approx(np.array(TEMPLATE) + MARGIN + (3, 1))
    assert (look.shown[0][0, :, ::-1] == look.shown[1][0]).all()


def test_another_face_in_the_chip_is_not_taken() -> None:
    look = Look([seen(60, 0, 0.99), seen(1, 0, 0.4)], [])
    assert in_chip(refined(IMAGE, COARSE, look)) == pytest.approx(np.array(TEMPLATE) + MARGIN + (1, 0))


@pytest.mark.parametrize("answer", [[], [seen(FARTHEST + 1, 0)]])
def test_what_finds_nothing_leaves_the_points_as_they_are(answer: list[Detection]) -> None:
    assert refined(IMAGE, COARSE, Look(answer, answer)) == COARSE


def test_a_reduced_image_gives_points_of_the_full_one() -> None:
    half = Image(IMAGE.pixels[::2, ::2], 0.5, 400, 400, "jpeg")
    found = refined(half, COARSE, Look([seen(0, 0)], [mirrored(seen(0, 0))]))
    assert np.array(found) == pytest.approx(np.array(COARSE), abs=0.5)
