"""Candidates: one per person, nearest first."""

import numpy as np
import pytest

from agent.domain.people import Bounds, Gallery, Reference
from agent.vision.matcher import Matcher


def at(degrees: float) -> bytes:
    """A vector of length 1 in that direction of a plane."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], "<f4").tobytes()


GALLERY = Gallery(1, "test", (Reference(7, at(0)), Reference(3, at(90)), Reference(7, at(40)), Reference(7, at(170))))


def test_each_person_is_one_candidate_by_the_nearest_reference() -> None:
    ((first, second),) = Matcher(GALLERY)([at(30)], Bounds(probable=0.9))
    assert (first.person_id, first.agree, first.references) == (7, 2, 3)
    assert first.distance == pytest.approx(2 * np.sin(np.radians(5)), abs=1e-5)
    assert (second.person_id, second.agree, second.references) == (3, 0, 1)
    assert second.distance == pytest.approx(1.0, abs=1e-5)


def test_the_same_vector_is_at_distance_zero_and_the_opposite_at_two() -> None:
    (row,) = Matcher(Gallery(1, "test", (Reference(1, at(0)), Reference(2, at(180)))))([at(0)], Bounds())
    assert [candidate.distance for candidate in row] == pytest.approx([0, 2], abs=1e-3)


def test_nobody_known_or_nothing_asked_gives_no_candidates() -> None:
    assert Matcher(Gallery(0, "test", ()))([at(0), at(1)], Bounds()) == [[], []]
    assert Matcher(GALLERY)([], Bounds()) == []


def test_embeddings_of_another_embedder_are_refused() -> None:
    with pytest.raises(ValueError):
        Matcher(GALLERY)([b"\0" * 12], Bounds())
