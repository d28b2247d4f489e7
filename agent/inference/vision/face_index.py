"""A library's embeddings in memory: searches for near faces and nearest known people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.domain.embeddings import Near
from agent.domain.identity_matching import Candidate
from agent.inference.vision.embedder import DIMENSIONS
from agent.inference.vision.references import References, to_distances
from agent.inference.vision.top_k import Nearest
from agent.inference.vision.vectors import Bools, Floats, Ints, Vectors, decoded, encoded

# The store counts ids up: a table as long as the highest one maps them to rows.
MOST_IDS = 100_000_000
# Queries at a time, so that their buffers stay small beside the vectors.
_AT_ONCE, _PAIRS, _SCORES = 256, 1_000_000, 8_000_000

N = TypeVar("N", bound=np.generic)


class FaceIndex:
    """Faces by id, each with a person (0: none) and a trust. Faces with a person are references, and precede all others.

    Distances are Euclidean, between vectors of length 1 (0 to 2). Results are exact except for the rounding of the vectors, see
    `agent.inference.vision.vectors`: a distance d has an error of 0.0002 / d at most, and usually 0.00001 / d. Not thread-safe.
    """

    def __init__(self) -> None:
        self.clear()

    def __len__(self) -> int:
        return self._count

    # -- changes -----------------------------------------------------------------------------------------------------------------
    def clear(self) -> None:
        self._count = self._references = 0
        self._vectors = Vectors(DIMENSIONS)
        self._ids, self._people, self._trust = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        self._clear = np.zeros(0, np.bool_)
        self._rows = np.zeros(0, np.int32)  # by face id: its row plus one, 0 if there is none
        self._grouping: References | None = None

    def put(self, ids: Ints, vectors: Floats, people: Ints, trust: Floats, clear: Bools | None = None) -> None:
        """Add or replace faces: int64 [n], float32 [n, 192], int64 [n], float32 [n], bool [n]. For duplicate ids the last one counts.

        Vectors are normalised to length 1; invalid ones (not a number, or zero) are left out. Raises ValueError for ids that are not
        1 to MOST_IDS.
        """
        lengths = np.linalg.norm(vectors, axis=1)
        last = len(ids) - 1 - np.unique(ids[::-1], return_index=True)[1]
        sound = last[np.isfinite(lengths[last]) & (lengths[last] > 1e-6)]
        ids, people = ids[sound], people[sound]
        if not len(ids):
            return
        if ids.min() < 1 or ids.max() > MOST_IDS:
            raise ValueError
        self._rows = _grown(self._rows, int(ids.max()) + 1)
        fresh = ids[self._rows[ids] == 0]
        self._append(fresh)
        rows = self._found(ids)
        self._vectors.write(rows, encoded(vectors[sound] / lengths[sound, None]))
        self._trust[rows] = trust[sound]
        self._clear[rows] = True if clear is None else clear[sound]
        self._assign(ids, people)

    def drop(self, ids: Ints) -> None:
        """Remove faces; missing ones are ignored."""
        ids = np.unique(ids)
        ids = ids[self._found(ids) >= 0]
        self._assign(ids, np.zeros(len(ids), np.int64))
        self._gather(ids, self._count - len(ids))
        self._rows[ids] = 0
        self._count -= len(ids)
        self._vectors.resize(self._count)

    def assign(self, people: Mapping[int, int]) -> None:
        """Make faces references of a person, or of none (0). Missing ones are ignored."""
        ids = np.fromiter(people.keys(), np.int64, len(people))
        there = self._found(ids) >= 0
        self._assign(ids[there], np.fromiter(people.values(), np.int64, len(people))[there])

    # -- queries -----------------------------------------------------------------------------------------------------------------
    def near(self, queries: "FaceQueries", within: float, limit: int, *, named: bool = False) -> list[list[Near]]:
        """Return the faces, or the `named` ones, within the distance of each query: the nearest `limit`, and never the face itself."""
        floor, count = _score(within) if within < 2 else -2.0, self._references if named else self._count
        return self._nearest(queries, floor, limit, count)

    def identify(self, queries: "FaceQueries", probable: float, most: int = 5) -> list[list[Candidate]]:
        """Return for each query the `most` nearest people among the references, nearest first. A face is never its own reference."""
        if not self._references:
            return [[] for _ in range(len(queries))]
        found: list[list[Candidate]] = []
        at_once = max(1, _SCORES // self._references)
        for start in range(0, len(queries), at_once):
            some = queries[start : start + at_once]
            scores = np.empty((len(some), self._references), np.float32)
            for first, part in self._vectors.scores(some.vectors, self._references):
                scores[:, first : first + part.shape[1]] = part
            found += self._candidates(some, scores, _score(probable), most)
        return found

    # -- data for others ---------------------------------------------------------------------------------------------------------
    @property
    def ids(self) -> Ints:
        """Return int64 [n], in no order; valid until the next change."""
        return self._ids[: self._count]

    @property
    def people(self) -> Ints:
        """Return int64 [n], of the same faces."""
        return self._people[: self._count]

    @property
    def trust(self) -> Floats:
        """Return float32 [n], of the same faces."""
        return self._trust[: self._count]

    def vectors(self, rows: Ints | None = None) -> Floats:
        """Return float32 [n, 192], of the same faces or of some of them by their index in `ids`."""
        return decoded(self._vectors.read(np.arange(self._count) if rows is None else rows))

    def rows(self, ids: Ints) -> Ints:
        """Return the index of faces in `ids`; -1 for missing ones."""
        return self._found(ids)

    def faces(self, ids: Ints) -> "FaceQueries":
        """Return existing faces as queries; a missing one has no near faces."""
        rows = self._found(ids)
        vectors = np.full((len(ids), DIMENSIONS), np.nan, np.float32)
        vectors[rows >= 0] = self.vectors(rows[rows >= 0])
        return FaceQueries(vectors, rows)

    # -- internals ---------------------------------------------------------------------------------------------------------------
    def _nearest(self, queries: "FaceQueries", floor: float, limit: int, count: int) -> list[list[Near]]:
        """Look among the first `count` rows."""
        found: list[list[Near]] = [[] for _ in range(len(queries))]
        at_once = max(1, min(_AT_ONCE, _PAIRS // (limit + 1)))
        for start in range(0, len(queries), at_once):
            some = queries[start : start + at_once]
            nearest = Nearest(len(some), limit + 1, floor)  # one more, because a face finds itself
            for first, scores in self._vectors.scores(some.vectors, count):
                nearest.add(scores, first)
            of, _, rows, closeness = nearest.result()
            others = rows != some.rows[of]
            for query, face, distance in zip(of[others], self._ids[rows[others]], to_distances(closeness[others]), strict=True):
                if len(found[start + query]) < limit:
                    found[start + query].append((int(face), float(distance)))
        return found

    def _candidates(self, queries: "FaceQueries", scores: Floats, probable: float, most: int) -> list[list[Candidate]]:
        # A face is not its own reference.
        own = np.where(queries.rows < self._references, queries.rows, -1)
        return self._grouped().candidates(scores, own, self._people[own], probable, most)

    def _grouped(self) -> References:
        if self._grouping is None:
            self._grouping = References.of(self._people[: self._references], self._clear[: self._references], self.vectors)
        return self._grouping

    def _append(self, ids: Ints) -> None:
        first, self._count = self._count, self._count + len(ids)
        self._vectors.resize(self._count)
        self._ids, self._people = _grown(self._ids, self._count), _grown(self._people, self._count)
        self._trust, self._clear = _grown(self._trust, self._count), _grown(self._clear, self._count)
        self._ids[first : self._count], self._people[first : self._count] = ids, 0
        self._rows[ids] = np.arange(first + 1, self._count + 1)

    def _assign(self, ids: Ints, people: Ints) -> None:
        rows = self._found(ids)
        self._people[rows] = people
        becoming, ceasing = ids[(people != 0) & (rows >= self._references)], ids[(people == 0) & (rows < self._references)]
        self._gather(becoming, self._references)
        self._references += len(becoming)
        self._gather(ceasing, self._references - len(ceasing))
        self._references -= len(ceasing)
        if len(rows) and (rows.min() < self._references or len(becoming) or len(ceasing)):
            self._grouping = None

    def _gather(self, ids: Ints, first: int) -> None:
        """Move faces to the rows from `first` on, and swap the faces there to the old rows."""
        rows = self._found(ids)
        places = np.arange(first, first + len(ids))
        away, free = np.setdiff1d(rows, places), np.setdiff1d(places, rows)
        one, other = np.concatenate([away, free]), np.concatenate([free, away])
        self._vectors.write(other, self._vectors.read(one))
        for column in (self._ids, self._people, self._trust, self._clear):
            column[other] = column[one]
        self._rows[self._ids[other]] = other + 1

    def _found(self, ids: Ints) -> Ints:
        """Return their rows; -1 for missing ones."""
        within = (ids >= 0) & (ids < len(self._rows))
        rows = np.full(len(ids), -1, np.int64)
        rows[within] = self._rows[ids[within]] - 1
        return rows


@dataclass(frozen=True, slots=True)
class FaceQueries:
    """Queries: vectors, and the row of each one's face (-1: in no row)."""

    vectors: Floats
    rows: Ints

    @classmethod
    def of(cls, vectors: Floats) -> "FaceQueries":
        """Return float32 [n, 192] normalised to length 1; an invalid one has no near faces."""
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            return cls(np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32), np.full(len(vectors), -1))

    def __len__(self) -> int:
        return len(self.vectors)

    def __add__(self, more: "FaceQueries") -> "FaceQueries":
        return FaceQueries(np.concatenate([self.vectors, more.vectors]), np.concatenate([self.rows, more.rows]))

    def __getitem__(self, some: slice) -> "FaceQueries":
        return FaceQueries(self.vectors[some], self.rows[some])


def _score(distance: float) -> float:
    """Return the scalar product of vectors of length 1 at that distance."""
    return 1 - distance * distance / 2


def _grown(column: NDArray[N], size: int) -> NDArray[N]:
    """Return the column with room for `size`, and half as much again to avoid frequent growth."""
    if len(column) >= size:
        return column
    larger = np.zeros(size + size // 2, column.dtype)
    larger[: len(column)] = column
    return larger
