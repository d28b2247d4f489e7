"""How far faces may be apart, and which are trusted to form groups."""

import pytest

from agent.domain.clustering import ClusterThresholds, cosine
from agent.domain.face import Quality
from agent.domain.identity_matching import trust


def test_a_sharp_large_face_that_looks_here_is_trusted_wholly() -> None:
    assert trust(Quality(size=60, sharpness=600, yaw=10, roll=40)) == 1


@pytest.mark.parametrize(
    "quality",
    [Quality(8, 600, 0, 0), Quality(60, 15, 0, 0), Quality(60, 600, 65, 0), Quality(60, 600, -65, 0)],
)
def test_small_blurred_and_turned_faces_found_nothing(quality: Quality) -> None:
    assert 0 <= trust(quality) < ClusterThresholds().trusted


def test_cosines_and_distances_of_unit_vectors() -> None:
    assert [cosine(distance) for distance in (0, 2**0.5, 2)] == pytest.approx([1, 0, -1])


def test_all_that_matters_lies_within_the_widest_bound() -> None:
    bounds = ClusterThresholds()
    assert bounds.within >= max(bounds.alike, bounds.early, bounds.growing, bounds.near)
