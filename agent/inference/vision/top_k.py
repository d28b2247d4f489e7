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
