"""Clusters faces by person without known people: similar clusters are merged by average linkage, then outliers join.

Reasons and results: docs/decisions/0012-groups-by-average-link.md and 0033-clusters-of-one-person.md.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import ClusterThresholds, cosine
from agent.inference.vision.cluster_core import Apart, strangers_of
from agent.inference.vision.knn_graph import neighbours

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Graph: TypeAlias = tuple[Ints, Floats]  # as `neighbours` returns it
Edges: TypeAlias = tuple[Ints, Ints, Floats]  # from, to, cosine

NEAREST = 16  # neighbours of each face that are considered
_AT_ONCE = 8_192  # pairs of clusters: their vectors fit a processor's cache


def cluster(
    vectors: Floats,
    trust: Floats,
    photo: Ints,
    *,
    person: Ints | None = None,
    cannot: Iterable[tuple[int, int]] = (),
    bounds: ClusterThresholds | None = None,
    graph: Graph | None = None,
) -> Ints:
    """Return the cluster of each face, int64 [n] counted from 0; -1 for a face that is alone.

    `vectors` float32 [n, d], rows of length 1; `trust` [n], 0 to 1; `photo` [n]: faces of one photo are different people, -1: unknown
    photo. Faces of one `person` [n] (not -1) always share a cluster, faces of two never; `cannot` holds pairs of rows that must not
    share one. `graph` is `neighbours(vectors, NEAREST, bounds.within)`, if already computed.
    The order of the faces does not matter.
    """
    bounds = bounds or ClusterThresholds()
    rows, distances = neighbours(vectors, NEAREST, bounds.within) if graph is None else graph
    groups = _Groups(vectors, trust >= bounds.trusted, photo, np.full(len(vectors), -1, np.int64) if person is None else person, cannot)
    del vectors  # for a large library this saves as much memory as the rest takes, if the caller holds them no longer
    edges = _edges(groups, rows, distances)
    del rows, distances
    _unite_alike(groups, edges, bounds)
    _join_near(groups, edges, bounds)
    return _numbered(groups.of)


class _Groups:
    """The cluster of each face. A cluster is identified by the row of one of its faces, and keeps it when others join."""

    def __init__(self, vectors: Floats, trusted: NDArray[np.bool_], photo: Ints, person: Ints, cannot: Iterable[tuple[int, int]]) -> None:
        strangers = strangers_of(cannot)
        said = enumerate(zip(photo.tolist(), person.tolist(), strict=True))
        self.apart = [Apart.of(face, on, who, strangers.get(face, ())) for face, (on, who) in said]
        self.trusted = trusted
        self.of = np.arange(len(vectors))
        self.sums = np.array(vectors, np.float32)  # of trusted faces, as are the counts; of one face if none is trusted
        self.counts = trusted.astype(np.int64)
        self.sizes = np.ones(len(vectors), np.int64)
        named = np.flatnonzero(person >= 0)
        _, first, which = np.unique(person[named], return_index=True, return_inverse=True)
        together = [(into, face) for into, face in zip(named[first[which]].tolist(), named.tolist(), strict=True) if into != face]
        for into, face in together:
            self.unite(into, face)
        self.move(together)

    def unite(self, into: int, group: int) -> None:
        """Merge the second into the first, which keeps its identity; call `move` afterwards."""
        if self.counts[group]:
            self.sums[into] = self.sums[group] + (self.sums[into] if self.counts[into] else 0)
            self.counts[into] += self.counts[group]
        self.host(into, group)

    def host(self, into: int, group: int) -> None:
        """Add the second to the first as a guest: it does not change which faces are similar to the first. Call `move` afterwards."""
        self.apart[into].take(self.apart[group])
        self.apart[group] = self.apart[into]  # its own data is no longer needed: in a large library that is a lot
        self.sizes[into] += self.sizes[group]

    def move(self, united: Sequence[tuple[int, int]]) -> Ints:
        """Move faces to their merged clusters, all at once. Return each cluster's new one, int64 [n]."""
        moved = np.arange(len(self.of))
        if united:
            into, group = np.array(united).T
            moved[group] = into
            self.of = moved[self.of]
        return moved

    def allowed(self, one: Ints, other: Ints) -> NDArray[np.bool_]:
        """Return for each pair of clusters whether they may be one person's."""
        pairs = zip(one.tolist(), other.tolist(), strict=True)
        return np.array([self.apart[a].allows(self.apart[b]) for a, b in pairs], np.bool_)

    def fit(self, group: Ints, larger: Ints) -> Floats:
        """Return the mean cosine between the two's faces, less that among the larger one's."""
        own = self.sums[larger] / self.counts[larger][:, None]
        return np.asarray(np.einsum("ij,ij->i", self.sums[group] / np.maximum(self.counts[group], 1)[:, None] - own, own), np.float32)

    def alike(self, one: Ints, other: Ints, least: float) -> Edges:
        """Return each pair of different clusters once, with the mean cosine between their trusted faces if it is high enough."""
        keys = (np.minimum(one, other) << 32 | np.maximum(one, other))[one != other]
        keys.sort()  # and shifts, because np.unique and np.divmod take several times as long
        keys = keys[np.diff(keys, prepend=-1) != 0]
        one, other = keys >> 32, keys & 0xFFFF_FFFF
        score = np.empty(len(keys), np.float32)
        for start in range(0, len(keys), _AT_ONCE):
            a, b = one[start : start + _AT_ONCE], other[start : start + _AT_ONCE]
            score[start : start + _AT_ONCE] = np.einsum("ij,ij->i", self.sums[a], self.sums[b]) / (self.counts[a] * self.counts[b])
        kept = score >= least
        return one[kept], other[kept], score[kept]


def _edges(groups: _Groups, rows: Ints, distances: Floats) -> Edges:
    """Return the edges; an outlier may have neighbours, but is no neighbour itself."""
    seen = np.flatnonzero(groups.trusted[rows.ravel()] & (rows.ravel() >= 0))
    return seen // rows.shape[1], rows.ravel()[seen], np.asarray(1 - distances.ravel()[seen] ** 2 / 2, np.float32)


def _unite_alike(groups: _Groups, edges: Edges, bounds: ClusterThresholds) -> None:
    """Average linkage: merge pairs of clusters that are mutually most similar, until none is similar enough.

    Two small clusters must be more similar: nearly all clusters with two people begin with a few faces. The mean to a merged cluster
    never exceeds the better of the two, so only faces that are similar enough need comparing, and a pair that is not is never
    compared again.
    """
    least, early = cosine(bounds.alike), cosine(bounds.early)
    near = (edges[2] >= least) & groups.trusted[edges[0]]
    one, other, score = groups.alike(groups.of[edges[0][near]], groups.of[edges[1][near]], least)
    while True:
        able = np.flatnonzero((score >= early) | (np.maximum(groups.counts[one], groups.counts[other]) >= bounds.settled))
        if not len(able):
            return
        best = np.full(len(groups.of), -np.inf, np.float32)
        np.maximum.at(best, one[able], score[able])
        np.maximum.at(best, other[able], score[able])
        likest = able[(score[able] == best[one[able]]) & (score[able] == best[other[able]])]
        allowed = groups.allowed(one[likest], other[likest])
        pairs = _disjoint(one[likest[allowed]].tolist(), other[likest[allowed]].tolist(), groups.sizes)
        for into, group in pairs:
            groups.unite(into, group)
        moved = groups.move(pairs)
        kept = np.ones(len(one), np.bool_)
        kept[likest[~allowed]] = False
        changed = np.zeros(len(moved), np.bool_)
        changed[[group for pair in pairs for group in pair]] = True
        stale = changed[one] | changed[other]
        again = groups.alike(moved[one[kept & stale]], moved[other[kept & stale]], least)
        left = kept & ~stale
        one, other = np.append(one[left], again[0]), np.append(other[left], again[1])
        score = np.append(score[left], again[2])


def _disjoint(one: Sequence[int], other: Sequence[int], sizes: Ints) -> list[tuple[int, int]]:
    """Return the pairs whose clusters are in no earlier pair, larger cluster first. Copied photos, for example, can be equally similar."""
    taken: set[int] = set()
    pairs = []
    for a, b in zip(one, other, strict=True):
        if a not in taken and b not in taken:
            pairs.append((a, b) if sizes[a] >= sizes[b] else (b, a))
            taken |= {a, b}
    return pairs


def _join_near(groups: _Groups, edges: Edges, bounds: ClusterThresholds) -> None:
    """Join outliers, single faces and splinters to the much larger cluster whose core they are near, until none is left to join.

    A cluster keeps its number when others join, which marks its core; joined faces support no other, so nearness does not spread.
    """
    faces, others, cosines = edges
    core = groups.of.copy()
    while True:
        seen = np.flatnonzero((core[others] == groups.of[others]) & (groups.of[faces] != groups.of[others]))
        splinters, larger = _nearest(groups, (faces[seen], groups.of[others[seen]], cosines[seen]), bounds)
        gone, pairs = set(splinters.tolist()), []
        for splinter, into in zip(splinters.tolist(), larger.tolist(), strict=True):
            # In one round a cluster either takes or joins; the faces it took may show that it is another person.
            if into not in gone and groups.apart[into].allows(groups.apart[splinter]):
                groups.host(into, splinter)
                pairs.append((into, splinter))
        if not pairs:
            return
        groups.move(pairs)


def _nearest(groups: _Groups, near: Edges, bounds: ClusterThresholds) -> tuple[Ints, Ints]:
    """Return the clusters that join a much larger one: (cluster, larger one), surest first.

    `near` leads from faces to the clusters of their neighbours. A face's nearness to a cluster is that of its `agree`-th neighbour there;
    a cluster's nearness is the mean of its faces.
    """
    many, agree = len(groups.of), bounds.agree
    unseen = cosine(bounds.near)  # the nearness of a face without enough neighbours, and of a rival that there isn't
    order = np.lexsort((-near[2], near[1], near[0]))
    keys, cosines = (near[0] * many + near[1])[order], near[2][order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    starts = starts[np.diff(starts, append=len(keys)) >= agree]
    face, larger = np.divmod(keys[starts], many)
    keys, which = np.unique(groups.of[face] * many + larger, return_inverse=True)
    splinter, larger = np.divmod(keys, many)
    nearness = unseen + np.bincount(which, cosines[starts + agree - 1] - unseen, len(keys)) / groups.sizes[splinter]
    kept = groups.allowed(splinter, larger)
    splinter, larger, nearness = splinter[kept], larger[kept], nearness[kept]
    order = np.lexsort((-nearness, splinter))
    splinter, larger, nearness = splinter[order], larger[order], nearness[order]
    first = np.diff(splinter, prepend=-1) != 0
    rival = np.append(np.where(first[1:], unseen, nearness[1:]), unseen)[first]
    splinter, larger, nearness = splinter[first], larger[first], nearness[first]
    score = nearness - rival + groups.fit(splinter, larger)
    easily = (groups.counts[splinter] > 0) & (groups.counts[splinter] < agree)
    needed = np.where(easily, bounds.joins, bounds.surely_joins)
    chosen = np.flatnonzero((score >= needed) & (groups.sizes[splinter] * bounds.share <= groups.counts[larger]))
    chosen = chosen[np.argsort(-score[chosen], kind="stable")]
    return splinter[chosen], larger[chosen]


def _numbered(of: Ints) -> Ints:
    """Number clusters from 0 in the order of their first face; -1 for a face that is alone."""
    _, first, which, sizes = np.unique(of, return_index=True, return_inverse=True, return_counts=True)
    shown = np.flatnonzero(sizes > 1)
    numbers = np.full(len(sizes), -1, np.int64)
    numbers[shown[np.argsort(first[shown])]] = np.arange(len(shown))
    return numbers[which]
