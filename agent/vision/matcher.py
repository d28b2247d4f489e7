"""Compares embeddings with the gallery of known people."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.domain.people import Bounds, Candidate, Gallery


class Matcher:
    """A gallery laid out for comparing: built once for each version of it."""

    def __init__(self, gallery: Gallery) -> None:
        self._people, self._starts, counts = np.array([]), np.array([], np.intp), np.array([], np.intp)
        references = sorted(gallery.references, key=lambda reference: reference.person_id)
        self._vectors = _matrix([reference.embedding for reference in references])
        ids = np.array([reference.person_id for reference in references], np.int64)
        self._people, self._starts, counts = np.unique(ids, return_index=True, return_counts=True)
        self._counts = counts

    def __call__(self, embeddings: Sequence[bytes], bounds: Bounds) -> list[list[Candidate]]:
        """For each embedding one candidate per person, nearest first. Raises ValueError when lengths differ from the gallery's."""
        if not embeddings or not len(self._people):
            return [[] for _ in embeddings]
        # For vectors of length 1 the squared distance is 2 - 2 cos.
        squared = 2 - 2 * (_matrix(embeddings) @ self._vectors.T)
        distances = np.sqrt(np.clip(squared, 0, 4))
        nearest = np.minimum.reduceat(distances, self._starts, axis=1)
        agreeing = np.add.reduceat(distances <= bounds.probable, self._starts, axis=1, dtype=np.int64)
        return [self._candidates(nearest[row], agreeing[row]) for row in range(len(embeddings))]

    def _candidates(self, nearest: NDArray[np.float32], agreeing: NDArray[np.int64]) -> list[Candidate]:
        order = np.argsort(nearest, kind="stable")
        return [
            Candidate(int(self._people[i]), distance=float(nearest[i]), agree=int(agreeing[i]), references=int(self._counts[i]))
            for i in order
        ]


def _matrix(embeddings: Sequence[bytes]) -> NDArray[np.float32]:
    return np.array([np.frombuffer(embedding, "<f4") for embedding in embeddings], np.float32)
