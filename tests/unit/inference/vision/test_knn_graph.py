import numpy as np
import pytest

from agent.inference.vision import knn_graph as module
from agent.inference.vision.knn_graph import neighbours


def test_the_nearest_come_first_and_places_without_one_are_empty() -> None:
    vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [-1, 0]], np.float32)
    rows, distances = neighbours(vectors, 3, 1.0)
    assert rows.tolist() == [[1, 2, -1], [0, 2, -1], [1, 0, -1], [-1, -1, -1]]
    assert distances[0][:2] == pytest.approx([0.2828, 0.6325], abs=1e-3)


def test_of_many_faces_nearly_all_neighbours_are_found_in_the_lists_most_similar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_IN_A_LIST", 20)
    monkeypatch.setattr(module, "_LISTS", 10)
    chance = np.random.default_rng(4)
    people = chance.standard_normal((100, 32))
    drawn = np.repeat(people, 20, axis=0) + 0.5 * chance.standard_normal((2_000, 32))
    vectors = np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True), np.float32)
    every, found = (neighbours(vectors, 8, 1.0, exact)[0] for exact in (2_000, 1_999))
    there = every >= 0
    kept = (every[:, :, None] == found[:, None, :]).any(axis=2)
    assert np.count_nonzero(there) > 10_000
    assert np.count_nonzero(kept & there) >= 0.98 * np.count_nonzero(there)


def test_equal_faces_are_each_others_neighbours_also_in_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 64)
    vectors = np.tile(np.array([[0.6, 0.8]], np.float32), (300, 1))
    rows, distances = neighbours(vectors, 5, 0.5, 0)
    assert (rows >= 0).all() and distances == pytest.approx(0, abs=2e-3)
    assert all(row not in near for row, near in enumerate(rows.tolist()))
