"""Keeps the highest scores of each query over successive blocks of scores."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

# Stored pairs are sorted and pruned when there are this many times the wanted number.
_SPARE, _AT_LEAST = 3, 65_536


class Nearest:
    """The `most` highest scores of each of `queries` rows that are not below `floor`. Exact; ties are cut arbitrarily."""

    def __init__(self, queries: int, most: int, floor: float) -> None:
        self._queries, self._most = queries, most
        self._limit = max(_SPARE * most * queries, _AT_LEAST)
        self._floors = np.full(queries, floor, np.float32)  # lower scores can no longer be among the highest
        none = np.zeros(0, np.int64)
        self._held: list[tuple[Ints, Ints, Floats]] = [(none, none, np.zeros(0, np.float32))]  # query, column, score
        self._pairs = 0

    def add(self, scores: Floats, first: int) -> None:
        """Add float32 [queries, columns], and the number of its first column."""
        found = np.flatnonzero(scores >= self._floors[:, None])
        if self._raised(len(found), scores):
            found = np.flatnonzero(scores >= self._floors[:, None])
        queries, columns = np.divmod(found, scores.shape[1])
        self._keep(queries, columns + first, scores.ravel()[found])

    def add_turned(self, scores: Floats, first: int) -> None:
        """Add float32 [columns, queries]: transposing would take as long as computing them."""
        found = np.flatnonzero(scores >= self._floors)
        if self._raised(len(found), scores.T):
            found = np.flatnonzero(scores >= self._floors)
        columns, queries = np.divmod(found, scores.shape[1])
        self._keep(queries, columns + first, scores.ravel()[found])

    def result(self) -> tuple[Ints, Ints, Ints, Floats]:
        """Return (query, rank, column, score), by query and rank."""
        return self._shrink()

    def _raised(self, found: int, scores: Floats) -> bool:
        """Raise the floors from the block's own best scores if most of a block would be stored."""
        if found <= 4 * self._most * self._queries or scores.shape[1] <= self._most:
            return False
        self._floors = np.maximum(self._floors, np.partition(scores, -self._most, axis=1)[:, -self._most])
        return True

    def _keep(self, queries: Ints, columns: Ints, scores: Floats) -> None:
        if not len(queries):
            return
        self._held.append((queries, columns, scores))
        self._pairs += len(queries)
        if self._pairs > self._limit:
            self._shrink()

    def _shrink(self) -> tuple[Ints, Ints, Ints, Floats]:
        queries, columns, scores = (np.concatenate(parts) for parts in zip(*self._held, strict=True))
        # One number that sorts by query, then by falling score: half the time of two.
        order = np.argsort(queries * 8.0 - scores)
        queries, columns, scores = queries[order], columns[order], scores[order]
        counts = np.bincount(queries, minlength=self._queries)
        places = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        last = places == self._most - 1
        self._floors[queries[last]] = scores[last]
        kept = places < self._most
        queries, places, columns, scores = queries[kept], places[kept], columns[kept], scores[kept]
        self._held, self._pairs = [(queries, columns, scores)], len(queries)
        return queries, places, columns, scores


# -- Finds the nearest faces of every face: the graph that clustering starts from --------------------------------------------------

BLOCK = 2_048  # rows: the products of two blocks fit a processor's cache


def neighbours(vectors: Floats, k: int, within: float) -> tuple[NDArray[np.int64], Floats]:
    """Return for each of float32 [n, d], rows of length 1, its `k` nearest others within the distance, nearest first.

    Returns rows int64 [n, k] and Euclidean distances float32 [n, k]; -1 and infinity if there are fewer. Exact except for the rounding of
    float32: distances and `within` have an error of 0.001. Each pair is compared once: on two cores 100,000 faces take some 20 s.
    """
    count = len(vectors)
    floor = 1 - within * within / 2  # for vectors of length 1 the squared distance is 2 - 2 cos
    starts = range(0, count, BLOCK)
    blocks = [np.ascontiguousarray(vectors[start : start + BLOCK], np.float32) for start in starts]
    found = [Nearest(len(block), k, floor) for block in blocks]
    held = np.empty(BLOCK * BLOCK, np.float32)  # one buffer for all: allocating takes a third of the time
    rows, distances = np.full((count, k), -1, np.int64), np.full((count, k), np.inf, np.float32)
    for i, start in enumerate(starts):
        for j in range(i, len(blocks)):
            shape = len(blocks[i]), len(blocks[j])
            scores = np.matmul(blocks[i], blocks[j].T, out=held[: shape[0] * shape[1]].reshape(shape))
            if i == j:
                np.fill_diagonal(scores, -np.inf)
            else:
                found[j].add_turned(scores, start)
            found[i].add(scores, starts[j])
        of, places, near, closeness = found[i].result()
        rows[start + of, places] = near
        distances[start + of, places] = np.sqrt(np.maximum(2 - 2 * closeness, 0))
    return rows, distances
