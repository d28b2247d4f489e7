"""Compares faces with known people: by the nearest reference of each, by the mean of all, and by the nearest clear one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from agent.domain.identity_matching import Candidate
from agent.inference.vision.vectors import Bools, Floats, Ints

_AT_ONCE = 1_024  # vectors summed at a time
_LEAST = 1e-6  # squared length of a sum of vectors that has a direction


@dataclass(frozen=True, slots=True)
class References:
    """The references by person."""

    order: Ints  # rows, person after person
    people: Ints
    starts: Ints  # where each person begins in `order`
    counts: Ints
    clear: Bools  # of `order`
    lengths: Floats  # squared, of the sum of each person's vectors

    @classmethod
    def of(cls, owners: Ints, clear: Bools, vectors: Callable[[Ints], Floats]) -> "References":
        """Group references, int64 [n] and bool [n]; `vectors` reads rows of length 1 by index."""
        order = np.argsort(owners, kind="stable")
        people, starts, counts = np.unique(owners[order], return_index=True, return_counts=True)
        sums = np.zeros((len(people), vectors(order[:1]).shape[1]), np.float32)
        for first in range(0, len(order), _AT_ONCE):
            some = order[first : first + _AT_ONCE]
            np.add.at(sums, np.searchsorted(people, owners[some]), vectors(some))
        return cls(order, people, starts, counts, clear[order], np.sum(sums * sums, axis=1))

    def candidates(self, scores: Floats, own: Ints, owners: Ints, probable: float, most: int) -> list[list[Candidate]]:
        """Return the `most` nearest people of each query, nearest first.

        `scores` are the scalar products with each reference, float32 [queries, n]. `own` is the reference that is the query itself, -1 for
        none, and `owners` its person: it does not count.
        """
        known = np.flatnonzero(own >= 0)
        groups = np.searchsorted(self.people, owners[known])
        scores[known, own[known]] = 0
        scores = np.take(scores, self.order, axis=1)
        totals = np.add.reduceat(scores, self.starts, axis=1)
        columns = np.empty_like(self.order)
        columns[self.order] = np.arange(len(self.order))
        scores[known, columns[own[known]]] = -np.inf
        nearest = np.maximum.reduceat(scores, self.starts, axis=1)
        clear = nearest if self.clear.all() else np.maximum.reduceat(np.where(self.clear, scores, np.float32(-1)), self.starts, axis=1)
        agree = np.add.reduceat(scores >= probable, self.starts, axis=1, dtype=np.int32)
        squared = np.broadcast_to(self.lengths, totals.shape).copy()
        # |sum - own|^2 = |sum|^2 - 2 own (sum - own) - |own|^2
        squared[known, groups] -= 2 * totals[known, groups] + 1
        typical = np.where(squared > _LEAST, totals / np.sqrt(np.maximum(squared, _LEAST)), 0)
        counts = np.broadcast_to(self.counts, totals.shape).copy()
        counts[known, groups] -= 1
        chosen = (
            np.argpartition(-nearest, most, axis=1)[:, :most]
            if nearest.shape[1] > most
            else np.tile(np.arange(nearest.shape[1]), (len(own), 1))
        )
        chosen = np.take_along_axis(chosen, np.argsort(-np.take_along_axis(nearest, chosen, axis=1), axis=1, kind="stable"), axis=1)
        # Only the face itself, or a query without a vector, has no score.
        there = np.take_along_axis(nearest, chosen, axis=1) >= -2
        apart = [to_distances(np.clip(np.take_along_axis(each, chosen, axis=1), -1, 1)).tolist() for each in (nearest, typical, clear)]
        others = [np.take_along_axis(each, chosen, axis=1).tolist() for each in (agree, counts)]
        rows = zip(self.people[chosen].tolist(), there.tolist(), *apart, *others, strict=True)
        return [_row(*columns) for columns in rows]


def _row(
    people: list[int], there: list[bool], near: list[float], typical: list[float], clear: list[float], agree: list[int], counts: list[int]
) -> list[Candidate]:
    values = zip(people, there, near, agree, counts, typical, clear, strict=True)
    return [Candidate(person, *rest) for person, is_there, *rest in values if is_there]


def to_distances(scores: Floats) -> Floats:
    """Return the Euclidean distances of vectors of length 1 with these scalar products."""
    return np.asarray(np.sqrt(np.maximum(2 - 2 * scores, 0)), np.float32)
