"""Made-up face prints lie as far apart as real ones."""

import numpy as np
import pytest

from scripts.benchmarks.synthetic_faces import faces, pages


def test_they_lie_as_far_apart_as_real_ones() -> None:
    vectors, people = (each[:2_000] for each in faces(50_000))
    assert vectors.dtype == np.float32 and np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    apart = np.sqrt(np.maximum(2 - 2 * vectors @ vectors.T, 0))
    pair = np.triu(np.ones(apart.shape, bool), 1)
    same = people[:, None] == people
    assert np.percentile(apart[pair & same], [5, 50, 95]) == pytest.approx([0.58, 0.84, 1.12], abs=0.08)
    assert np.percentile(apart[pair & ~same], [5, 50, 95]) == pytest.approx([1.21, 1.39, 1.55], abs=0.05)


def test_the_same_seed_makes_the_same_faces() -> None:
    vectors, people = faces(500)
    parts = list(pages(500, at_once=500))
    assert len(parts) == 1 and np.array_equal(parts[0][0], vectors) and np.array_equal(parts[0][1], people)
    assert not np.array_equal(faces(500, seed=6)[0], vectors)


def test_people_have_very_different_numbers_of_faces() -> None:
    counts = np.unique(faces(20_000)[1], return_counts=True)[1]
    assert counts.max() > 20 * np.median(counts) and np.percentile(counts, 5) <= 3
