"""Groups faces by person without knowing anybody: groups that are alike by average link, then what is doubtful joins them.

Why it is done so, and how well: docs/decisions/0012-groups-by-average-link.md.
"""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.clustering import GroupBounds, cosine
from agent.vision.apart import Apart, strangers_of
from agent.vision.neighbours import neighbours

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]
Graph: TypeAlias = tuple[Ints, Floats]  # as `neighbours` gives it
Edges: TypeAlias = tuple[Ints, Ints, Floats]  # from, to, cosine

NEAREST = 16  # faces of each that are looked at
_AT_ONCE = 8_192  # pairs of groups: their vectors fit a processor's cache


def cluster(
    vectors: Floats,
    trust: Floats,
    photo: Ints,
    *,
    person: Ints | None = None,
    cannot: Iterable[tuple[int, int]] = (),
    bounds: GroupBounds | None = None,
    graph: Graph | None = None,
) -> Ints:
    """The group of each face, int64 [n] counted from 0; -1 for a face that is alone.

    `vectors` float32 [n, d], rows of length 1; `trust` [n], 0 to 1; `photo` [n]: faces of one photo are different people, -1 is no known
    photo. Faces of one `person` [n] (not -1) are together whatever they look like, of two never; `cannot` holds pairs of rows that must not
    meet. `graph` is `neighbours(vectors, NEAREST, bounds.within)`, if it is there.
    The order of the faces does not matter.
    """
    bounds = bounds or GroupBounds()
    rows, distances = neighbours(vectors, NEAREST, bounds.within) if graph is None else graph
    groups = _Groups(vectors, trust >= bounds.trusted, photo, np.full(len(vectors), -1, np.int64) if person is None else person, cannot)
    del vectors  # of a large library as much as all that follows, if whoever called holds them no more
    edges = _edges(groups, rows, distances)
    del rows, distances
    _unite_alike(groups, edges, bounds)
    _join_near(groups, edges, bounds)
    return _numbered(groups.of)


class _Groups:
    """Which group each face is in. A group is known by the row of one of its faces, and keeps it when others come to it."""

    def __init__(self, vectors: Floats, trusted: NDArray[np.bool_], photo: Ints, person: Ints, cannot: Iterable[tuple[int, int]]) -> None:
        strangers = strangers_of(cannot)
        said = enumerate(zip(photo.tolist(), person.tolist(), strict=True))
        self.apart = [Apart.of(face, on, who, strangers.get(face, ())) for face, (on, who) in said]
        self.trusted = trusted
        self.of = np.arange(len(vectors))
        self.sums = np.where(trusted[:, None], vectors, np.float32(0))  # of trusted faces; so are the counts
        self.counts = trusted.astype(np.int64)
        self.sizes = np.ones(len(vectors), np.int64)
        named = np.flatnonzero(person >= 0)
        _, first, which = np.unique(person[named], return_index=True, return_inverse=True)
        together = [(into, face) for into, face in zip(named[first[which]].tolist(), named.tolist(), strict=True) if into != face]
        for into, face in together:
            self.unite(into, face)
        self.move(together)

    def unite(self, into: int, group: int) -> None:
        """The second becomes part of the first, which stays one; `move` comes after it."""
        self.apart[into].take(self.apart[group])
        self.apart[group] = self.apart[into]  # what it held itself is needed no more: in a large library that is a lot
        self.sums[into] += self.sums[group]
        self.counts[into] += self.counts[group]
        self.sizes[into] += self.sizes[group]

    def move(self, united: Sequence[tuple[int, int]]) -> Ints:
        """Faces follow their groups, all at once. Where each group is now, int64 [n]."""
        moved = np.arange(len(self.of))
        if united:
            into, group = np.array(united).T
            moved[group] = into
            self.of = moved[self.of]
        return moved

    def allowed(self, one: Ints, other: Ints) -> NDArray[np.bool_]:
        """For each pair of groups, whether they may be one person's."""
        pairs = zip(one.tolist(), other.tolist(), strict=True)
        return np.array([self.apart[a].allows(self.apart[b]) for a, b in pairs], np.bool_)

    def alike(self, one: Ints, other: Ints, least: float) -> Edges:
        """Each pair of different groups once, with the mean cosine between their trusted faces where that is enough."""
        many = len(self.of)
        keys = np.unique((np.minimum(one, other) * many + np.maximum(one, other))[one != other])
        one, other = np.divmod(keys, many)
        score = np.empty(len(keys), np.float32)
        for start in range(0, len(keys), _AT_ONCE):
            a, b = one[start : start + _AT_ONCE], other[start : start + _AT_ONCE]
            score[start : start + _AT_ONCE] = np.einsum("ij,ij->i", self.sums[a], self.sums[b]) / (self.counts[a] * self.counts[b])
        kept = score >= least
        return one[kept], other[kept], score[kept]


def _edges(groups: _Groups, rows: Ints, distances: Floats) -> Edges:
    """A doubtful face may look at others; nobody looks at it."""
    seen = np.flatnonzero(groups.trusted[rows.ravel()] & (rows.ravel() >= 0))
    return seen // rows.shape[1], rows.ravel()[seen], np.asarray(1 - distances.ravel()[seen] ** 2 / 2, np.float32)


def _unite_alike(groups: _Groups, edges: Edges, bounds: GroupBounds) -> None:
    """Average link: pairs of groups that are each other's likest become one, until none is alike enough.

    It ends as if always the likest pair of all were taken, since the mean to a united group is never above the better of the two means.
    For the same reason only faces that are alike enough need be compared, and a pair that is not enough is never looked at again.
    """
    least = cosine(bounds.alike)
    near = (edges[2] >= least) & groups.trusted[edges[0]]
    one, other, score = groups.alike(groups.of[edges[0][near]], groups.of[edges[1][near]], least)
    while len(one):
        best = np.full(len(groups.of), -np.inf, np.float32)
        np.maximum.at(best, one, score)
        np.maximum.at(best, other, score)
        likest = np.flatnonzero((score == best[one]) & (score == best[other]))
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
    """The pairs whose groups are in no pair before them, larger group first. Several can be equally like, copies of a photo for one."""
    taken: set[int] = set()
    pairs = []
    for a, b in zip(one, other, strict=True):
        if a not in taken and b not in taken:
            pairs.append((a, b) if sizes[a] >= sizes[b] else (b, a))
            taken |= {a, b}
    return pairs


def _join_near(groups: _Groups, edges: Edges, bounds: GroupBounds) -> None:
    """Doubtful faces, single ones and splinters join the much larger group whose core they are near, until there is nothing to join.

    A group keeps its number when others come to it, which tells its core; what joined supports nobody, so that nearness does not spread.
    """
    faces, others, cosines = edges
    core = groups.of.copy()
    while True:
        seen = np.flatnonzero((core[others] == groups.of[others]) & (groups.of[faces] != groups.of[others]))
        splinters, larger = _nearest(groups, (faces[seen], groups.of[others[seen]], cosines[seen]), bounds)
        gone, pairs = set(splinters.tolist()), []
        for splinter, into in zip(splinters.tolist(), larger.tolist(), strict=True):
            # In one round a group takes or goes; what it took may have shown it to be somebody else.
            if into not in gone and groups.apart[into].allows(groups.apart[splinter]):
                groups.unite(into, splinter)
                pairs.append((into, splinter))
        if not pairs:
            return
        groups.move(pairs)


def _nearest(groups: _Groups, near: Edges, bounds: GroupBounds) -> tuple[Ints, Ints]:
    """The groups that are near another, much larger one, and clearly nearest to that: (group, larger one), nearest first.

    `near` leads from faces to the groups that their neighbours are in. How near a face is to a group tells its `agree`-th neighbour there;
    how near a group is, the mean of its faces.
    """
    many, agree = len(groups.of), bounds.agree
    unseen = cosine(bounds.near) - bounds.ahead  # how near a face counts as that is not
    order = np.lexsort((-near[2], near[1], near[0]))
    keys, cosines = (near[0] * many + near[1])[order], near[2][order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    starts = starts[np.diff(starts, append=len(keys)) >= agree]
    face, larger = np.divmod(keys[starts], many)
    keys, which = np.unique(groups.of[face] * many + larger, return_inverse=True)
    splinter, larger = np.divmod(keys, many)
    score = unseen + np.bincount(which, cosines[starts + agree - 1] - unseen, len(keys)) / groups.sizes[splinter]
    kept = groups.allowed(splinter, larger)
    splinter, larger, score = splinter[kept], larger[kept], score[kept]
    order = np.lexsort((-score, splinter))
    splinter, larger, score = splinter[order], larger[order], score[order]
    first = np.diff(splinter, prepend=-1) != 0
    rival = np.append(np.where(first[1:], -np.inf, score[1:]), -np.inf)
    easily = (groups.counts[splinter] < agree) & (groups.counts[larger] >= bounds.large)
    needed = np.where(easily, cosine(bounds.near), cosine(bounds.surely_near))
    clear = first & (score >= needed) & (score - rival >= bounds.ahead) & (groups.sizes[splinter] * bounds.share <= groups.counts[larger])
    chosen = np.flatnonzero(clear)
    chosen = chosen[np.argsort(-score[chosen], kind="stable")]
    return splinter[chosen], larger[chosen]


def _numbered(of: Ints) -> Ints:
    """Groups counted from 0 in the order of their first face; -1 for a face that is alone."""
    _, first, which, sizes = np.unique(of, return_index=True, return_inverse=True, return_counts=True)
    shown = np.flatnonzero(sizes > 1)
    numbers = np.full(len(sizes), -1, np.int64)
    numbers[shown[np.argsort(first[shown])]] = np.arange(len(shown))
    return numbers[which]
