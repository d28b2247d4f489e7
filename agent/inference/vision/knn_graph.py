"""Finds the nearest faces of every face: the graph that clustering starts from.

Comparing all pairs costs four times as much for twice the faces. From some ten thousand faces on, they are therefore sorted into lists of
similar ones, and each list is compared with the lists most similar to it only (an inverted file index). Measured in
docs/decisions/0086-clusters-of-large-libraries.md.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.inference.vision.top_k import Nearest

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

BLOCK = 2_048  # rows: the products of two blocks fit a processor's cache
EXACT = 50_000  # up to this many faces, all pairs are compared
_IN_A_LIST = 256  # faces of a list, on average
_LISTS = 32  # that a list is compared with, itself included
_ROUNDS, _SAMPLED = 4, 40  # of k-means, with so many faces for each list
_SEED = 1  # the same faces in the same order give the same clusters


def neighbours(vectors: Floats, k: int, within: float, exact: int = EXACT) -> tuple[Ints, Floats]:
    """Return for each of float32 [n, d], rows of length 1, its `k` nearest others within the distance, nearest first.

    Returns rows int64 [n, k] and Euclidean distances float32 [n, k]; -1 and infinity if there are fewer. Distances and `within` have an
    error of 0.001. Of more than `exact` faces, some 1 % of the neighbours are missed.
    """
    floor = 1 - within * within / 2  # for vectors of length 1 the squared distance is 2 - 2 cos
    rows, distances = np.full((len(vectors), k), -1, np.int64), np.full((len(vectors), k), np.inf, np.float32)
    found = _among_all(vectors, k, floor) if len(vectors) <= exact else _among_similar(vectors, k, floor)
    for of, places, near, closeness in found:
        rows[of, places] = near
        distances[of, places] = np.sqrt(np.maximum(2 - 2 * closeness, 0))
    return rows, distances


def _among_all(vectors: Floats, k: int, floor: float) -> Iterator[tuple[Ints, Ints, Ints, Floats]]:
    """Yield (row, rank, neighbour, cosine), block by block. Each pair is compared once."""
    starts = range(0, len(vectors), BLOCK)
    blocks = [np.ascontiguousarray(vectors[start : start + BLOCK], np.float32) for start in starts]
    found = [Nearest(len(block), k, floor) for block in blocks]
    held = np.empty(BLOCK * BLOCK, np.float32)  # one buffer for all: allocating takes a third of the time
    for i, start in enumerate(starts):
        for j in range(i, len(blocks)):
            scores = _products(blocks[i], blocks[j], held)
            if i == j:
                np.fill_diagonal(scores, -np.inf)
            else:
                found[j].add_turned(scores, start)
            found[i].add(scores, starts[j])
        of, places, near, closeness = found[i].result()
        yield start + of, places, near, closeness


def _among_similar(vectors: Floats, k: int, floor: float) -> Iterator[tuple[Ints, Ints, Ints, Floats]]:
    """Yield the same, list by list; a list of very many equal faces in blocks."""
    held = np.empty(BLOCK * BLOCK, np.float32)
    for members, around in _lists(vectors):
        near = [(start, vectors[around[start : start + BLOCK]]) for start in range(0, len(around), BLOCK)]
        for first in range(0, len(members), BLOCK):
            some = members[first : first + BLOCK]
            found, queries = Nearest(len(some), k + 1, floor), vectors[some]  # one more, because a face finds itself
            for start, block in near:
                found.add(_products(queries, block, held), start)
            yield from _others(some, around, found.result(), k)


def _others(some: Ints, around: Ints, found: tuple[Ints, Ints, Ints, Floats], k: int) -> Iterator[tuple[Ints, Ints, Ints, Floats]]:
    """Yield what was found without the faces themselves."""
    of, _, columns, closeness = found
    rows, near = some[of], around[columns]
    kept = rows != near
    of, rows, near, closeness = of[kept], rows[kept], near[kept], closeness[kept]
    places = np.arange(len(of)) - np.searchsorted(of, of)  # `of` ascends
    kept = places < k
    yield rows[kept], places[kept], near[kept], closeness[kept]


def _lists(vectors: Floats) -> Iterator[tuple[Ints, Ints]]:
    """Yield the rows of each list, and those of the lists most similar to it, its own included."""
    centres = _centres(vectors, -(-len(vectors) // _IN_A_LIST))
    lists = np.concatenate([_nearest_centre(vectors[start : start + BLOCK], centres) for start in range(0, len(vectors), BLOCK)])
    order = np.argsort(lists, kind="stable")
    members = np.split(order, np.searchsorted(lists[order], np.arange(1, len(centres))))
    most = min(_LISTS, len(centres))
    for own, centre in zip(members, centres, strict=True):
        if len(own):
            alike = np.argpartition(-(centres @ centre), most - 1)[:most]
            yield own, np.concatenate([members[each] for each in alike])


def _centres(vectors: Floats, count: int) -> Floats:
    """Return float32 [count, d], rows of length 1: k-means over a sample."""
    chance = np.random.default_rng(_SEED)
    sample = vectors[chance.choice(len(vectors), min(len(vectors), count * _SAMPLED), replace=False)]
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        lists = np.concatenate([_nearest_centre(sample[start : start + BLOCK], centres) for start in range(0, len(sample), BLOCK)])
        order = np.argsort(lists, kind="stable")
        there, starts = np.unique(lists[order], return_index=True)
        sums = np.add.reduceat(sample[order], starts)
        centres[there] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    return centres


def _nearest_centre(vectors: Floats, centres: Floats) -> Ints:
    return np.asarray((vectors @ centres.T).argmax(axis=1), np.int64)


def _products(one: Floats, other: Floats, held: Floats) -> Floats:
    """Return float32 [rows of one, rows of other], in the buffer."""
    shape = len(one), len(other)
    return np.matmul(one, other.T, out=held[: shape[0] * shape[1]].reshape(shape))
