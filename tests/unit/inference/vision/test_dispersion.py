"""Which faces of a group differ most, and how far its halves are apart."""

import numpy as np
import pytest

from agent.inference.vision.dispersion import halves, least_alike
from agent.inference.vision.vectors import Floats


def at(*degrees: float) -> Floats:
    """Vectors of length 1 in a plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_the_least_alike_faces_come_first_and_lie_in_different_places() -> None:
    faces = at(0, 1, 2, 3, 80, 81, 40)
    assert {int(row) for row in least_alike(faces, 2)} <= {0, 5} and len(least_alike(faces, 2)) == 2
    assert {int(row) for row in least_alike(faces, 3)} == {0, 5, 6}
    assert sorted(least_alike(faces, 9).tolist()) == list(range(7))


@pytest.mark.parametrize("faces", [at(), at(5)])
def test_a_group_of_one_or_none_has_no_halves(faces: Floats) -> None:
    one, apart = halves(faces)
    assert (one.tolist(), apart) == ([True] * len(faces), 0.0)
    assert least_alike(faces, 4).tolist() == list(range(len(faces)))


def test_two_people_are_two_halves_whatever_the_order() -> None:
    faces, whose = at(0, 2, 4, 6, 60, 62), np.array([1, 1, 1, 1, 2, 2])
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(faces))
        one, apart = halves(faces[order])
        assert {frozenset(whose[order][one].tolist()), frozenset(whose[order][~one].tolist())} == {frozenset({1}), frozenset({2})}
        assert apart == pytest.approx(2 * np.sin(np.radians(29)), abs=0.01)


def test_the_same_face_many_times_is_not_far_from_itself() -> None:
    assert halves(at(7, 7, 7))[1] == pytest.approx(0, abs=1e-3)
