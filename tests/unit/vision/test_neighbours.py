import numpy as np
import pytest

from agent.vision.nearest import neighbours


def test_the_nearest_come_first_and_places_without_one_are_empty() -> None:
    vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [-1, 0]], np.float32)
    rows, distances = neighbours(vectors, 3, 1.0)
    assert rows.tolist() == [[1, 2, -1], [0, 2, -1], [1, 0, -1], [-1, -1, -1]]
    assert distances[0][:2] == pytest.approx([0.2828, 0.6325], abs=1e-3)
