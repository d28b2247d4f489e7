"""Measures how much the faces of a cluster differ: the least similar ones, and the distance between its two halves."""

import numpy as np

from agent.inference.vision.vectors import Floats, Ints

_ROUNDS = 10  # until the halves no longer change; usually after three


def least_alike(vectors: Floats, most: int) -> Ints:
    """Return rows of `vectors` (float32 [n, d], length 1): the one farthest from all, then always the one farthest from those chosen."""
    if not len(vectors) or not most:
        return np.zeros(0, np.int64)
    chosen = [int((vectors @ vectors.mean(axis=0)).argmin())]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < min(most, len(vectors)):
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return np.array(chosen, np.int64)


def halves(vectors: Floats) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], float]:
    """Return which faces belong to one half, and the distance for the mean cosine between the two halves (0 for a single face).

    The halves start from the least similar pair: each face joins the half whose mean is nearer, until none changes.
    """
    if len(vectors) < 2:
        return np.ones(len(vectors), np.bool_), 0.0
    first, second = least_alike(vectors, 2)
    one = vectors @ vectors[first] > vectors @ vectors[second]
    one[first], one[second] = True, False
    for _ in range(_ROUNDS):
        moved = vectors @ _mean(vectors[one]) > vectors @ _mean(vectors[~one])
        if moved.all() or not moved.any() or (moved == one).all():
            break
        one = moved
    cosine = float(vectors[one].mean(axis=0) @ vectors[~one].mean(axis=0))
    return one, float(np.sqrt(max(0.0, 2 - 2 * cosine)))


def _mean(vectors: Floats) -> Floats:
    total = vectors.sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-6), np.float32)
