"""Of any faces, the nearest are found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agent.inference.vision import knn_graph as module
from agent.inference.vision.knn_graph import EXACT, neighbours

Floats = NDArray[np.float32]


def faces(count: int, seed: int, dimensions: int = 16) -> Floats:
    """A few people's, some of them the same twice."""
    chance = np.random.default_rng(seed)
    people = chance.standard_normal((max(1, count // 5), dimensions))
    rows = people[chance.integers(0, len(people), count)] + 0.3 * chance.standard_normal((count, dimensions))
    rows[: count // 10] = rows[count // 10 : 2 * (count // 10)]
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def by_hand(vectors: Floats, k: int, within: float) -> list[list[float]]:
    """Distances of the nearest, nearest first."""
    found = []
    for row, vector in enumerate(vectors.astype(np.float64)):
        others = np.delete(vectors.astype(np.float64), row, axis=0)
        distances = np.sort(np.linalg.norm(others - vector, axis=1))[:k]
        found.append([float(distance) for distance in distances if distance <= within])
    return found


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 32)
    monkeypatch.setattr(module, "_IN_A_LIST", 10)
    monkeypatch.setattr("agent.inference.vision.top_k._AT_LEAST", 64)


# Lists that are all compared with each other are another way to compare each with each.
@pytest.mark.parametrize("exact", [EXACT, 0])
@given(st.integers(0, 150), st.integers(1, 12), st.sampled_from([0.3, 0.713, 1.1, 2.0]), st.integers(0, 10_000))
@settings(max_examples=20)
def test_they_are_those_that_comparing_each_with_each_finds(exact: int, count: int, k: int, within: float, seed: int) -> None:
    vectors = faces(count, seed)
    rows, distances = neighbours(vectors, k, within, exact)
    assert rows.shape == distances.shape == (count, k)
    expected = by_hand(vectors, k, within)
    for row in range(count):
        there = rows[row] >= 0
        assert np.isinf(distances[row][~there]).all() and there.sum() == len(expected[row])
        assert distances[row][there] == pytest.approx(expected[row], abs=2e-3)
        assert np.linalg.norm(vectors[rows[row][there]] - vectors[row], axis=1) == pytest.approx(distances[row][there], abs=2e-3)
        assert row not in rows[row] and len(set(rows[row][there])) == there.sum()
