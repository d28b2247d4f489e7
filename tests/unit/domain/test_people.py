"""Who a face is: the nearest within bounds, and never certain of a blurred or tiny face."""

import pytest

from agent.domain.face import Quality
from agent.domain.people import MIN_EYE_DISTANCE, MIN_SHARPNESS, Bounds, Candidate, Certainty, identify

BOUNDS = Bounds(certain=0.9, probable=1.1)
GOOD = Quality(size=60, sharpness=200, yaw=0, roll=0)


def candidate(person: int, distance: float) -> Candidate:
    return Candidate(person, distance, agree=2, references=3)


@pytest.mark.parametrize(
    ("distance", "certainty"),
    [(0.0, Certainty.CERTAIN), (0.9, Certainty.CERTAIN), (0.91, Certainty.PROBABLE), (1.1, Certainty.PROBABLE), (1.11, None)],
)
def test_the_distance_decides_how_sure_it_is(distance: float, certainty: Certainty | None) -> None:
    identity = identify([candidate(1, distance)], GOOD, BOUNDS)
    assert (identity.certainty if identity else None) is certainty


def test_the_nearest_is_taken_and_nobody_from_nobody() -> None:
    identity = identify([candidate(1, 0.8), candidate(2, 0.3), candidate(3, 0.5)], GOOD, BOUNDS)
    assert identity is not None and (identity.person_id, identity.distance, identity.agree, identity.references) == (2, 0.3, 2, 3)
    assert identify([], GOOD, BOUNDS) is None


@pytest.mark.parametrize("size", [MIN_EYE_DISTANCE - 0.1, MIN_EYE_DISTANCE])
@pytest.mark.parametrize("sharpness", [MIN_SHARPNESS - 0.1, MIN_SHARPNESS])
def test_of_a_blurred_or_tiny_face_nothing_is_certain(size: float, sharpness: float) -> None:
    identity = identify([candidate(1, 0.1)], Quality(size, sharpness, 0, 0), BOUNDS)
    trusted = size >= MIN_EYE_DISTANCE and sharpness >= MIN_SHARPNESS
    assert identity is not None and identity.certainty is (Certainty.CERTAIN if trusted else Certainty.PROBABLE)
