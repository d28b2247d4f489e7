"""What the comparison of the inference libraries counts."""

import numpy as np

from agent.domain.face import Box
from agent.inference.vision.detection import Detection
from scripts.benchmarks.core_parity import _FACES, _overlaps, _varied

POINTS = ((1.0, 1.0),) * 5


def face(left: float, score: float = 0.9) -> Detection:
    return Detection(Box(left, 0, 10, 10), score, POINTS)


def test_a_face_that_only_one_of_them_finds_overlaps_with_nothing() -> None:
    assert _overlaps([face(0)], [face(0)]) == [1.0, 1.0]
    assert _overlaps([face(0), face(50)], [face(0)]) == [1.0, 0.0, 1.0]
    assert _overlaps([face(0)], [face(0), face(50)]) == [1.0, 1.0, 0.0]
    assert _overlaps([face(0), face(50, score=0.31)], [face(0)]) == [1.0, 1.0], "at the very bound it may fall on either side"


def test_variants_are_enough_different_pictures_and_the_same_each_time() -> None:
    chips = list(np.random.default_rng(1).integers(0, 256, (3, 112, 112, 3), np.uint8))
    made = _varied(chips)
    assert len({chip.tobytes() for chip in made}) == len(made) == _FACES
    assert all(np.array_equal(one, other) for one, other in zip(made, _varied(chips), strict=True))
