"""The matcher's operations, independent of its process."""

from collections.abc import Callable, Sequence

import numpy as np

from agent.domain.clustering import ClusterThresholds
from agent.domain.embeddings import ClusterInputs, Near, Spread
from agent.domain.identity_matching import Candidate
from agent.inference.engine.matcher_calls import (
    EMBEDDING_BYTES,
    Formed,
    IdentifyRequest,
    NearRequest,
    Placed,
    Prints,
    Roster,
    SpreadRequest,
)
from agent.inference.engine.matcher_port import Query
from agent.inference.vision.cluster_core import ALONE
from agent.inference.vision.clusterer import NEAREST, cluster
from agent.inference.vision.dispersion import halves, least_alike
from agent.inference.vision.face_index import FaceIndex, FaceQueries
from agent.inference.vision.incremental_clusters import ClusterMember, IncrementalClusterer
from agent.inference.vision.vectors import Floats, Ints


class MatchService:
    """Owns the index. Not thread-safe."""

    def __init__(self) -> None:
        self.index = FaceIndex()
        self._grouping: IncrementalClusterer | None = None  # the clusters, once they are known
        self._placed: set[int] = set()

    def put(self, prints: Prints) -> None:
        """Add faces. Raises ValueError for columns of different lengths."""
        vectors = _matrix(prints.embeddings)
        if not len(vectors) == len(prints.faces) == len(prints.people) == len(prints.trust):
            raise ValueError
        faces = np.array(prints.faces, np.int64)
        clear = ~np.isin(faces, np.array(prints.unclear, np.int64))
        self.index.put(faces, vectors, np.array(prints.people, np.int64), np.array(prints.trust, np.float32), clear)

    def drop(self, faces: Sequence[int]) -> None:
        self.index.drop(np.array(faces, np.int64))

    def align(self, known: Roster) -> tuple[int, ...]:
        """Drop every other face and set each one's person. Return the faces that are missing."""
        faces, people = np.array(known.faces, np.int64), np.array(known.people, np.int64)
        if len(faces) != len(people):
            raise ValueError
        self.index.drop(np.setdiff1d(self.index.ids, faces))
        rows = self.index.rows(faces)
        there = rows >= 0
        faces, rows, missing = faces[there], rows[there], faces[~there]
        people = np.where(self.index.trust[rows] > 0, people[there], 0)  # one without usable features is no reference, as in `put`
        changed = self.index.people[rows] != people
        self.index.assign(dict(zip(faces[changed].tolist(), people[changed].tolist(), strict=True)))
        return tuple(missing.tolist())

    def near(self, asked: NearRequest) -> list[list[Near]]:
        return self.index.near(self._queries(asked.query), asked.within, asked.limit, named=asked.named)

    def identify(self, asked: IdentifyRequest) -> list[list[Candidate]]:
        return self.index.identify(self._queries(asked.query), asked.probable, asked.most)

    def spread(self, asked: SpreadRequest) -> list[Spread]:
        return [self._spread(np.array(group, np.int64), asked.most) for group in asked.groups]

    def _spread(self, group: Ints, most: int) -> Spread:
        rows = self.index.rows(group)
        faces, rows = group[rows >= 0], rows[rows >= 0]
        trusted = self.index.trust[rows] >= ClusterThresholds().trusted
        if np.count_nonzero(trusted) >= min(most, 2):
            faces, rows = faces[trusted], rows[trusted]
        vectors = self.index.vectors(rows)
        one, apart = halves(vectors)
        smaller = ~one if 2 * np.count_nonzero(one) >= len(one) else one
        return Spread(tuple(faces[least_alike(vectors, most)].tolist()), tuple(faces[smaller].tolist()), apart)

    def group(self, members: ClusterInputs) -> Callable[[], Formed]:
        """Compute all clusters from scratch; each face's cluster, 0 for one that is alone or missing.

        The returned function does it, up to some minutes, in any thread: it has copies of its data.
        """
        self._grouping = None
        faces, photos, people, _ = _columns(members)
        rows = self.index.rows(faces)
        there = np.flatnonzero(rows >= 0)
        vectors, trust = [self.index.vectors(rows[there])], self.index.trust[rows[there]]

        def form() -> Formed:
            kept_apart = {face for pair in members.cannot for face in pair}
            at = {face: number for number, face in enumerate(faces[there].tolist()) if face in kept_apart}
            cannot = [(at[one], at[other]) for one, other in members.cannot if one in at and other in at]
            groups = np.zeros(len(faces), np.int64)
            groups[there] = cluster(vectors.pop(), trust, photos[there], person=people[there], cannot=cannot) + 1
            return Formed(groups.tobytes())

        return form

    def begin(self, cannot: Sequence[tuple[int, int]]) -> None:
        """Start loading clusters, which `restore` adds one by one. `cannot`: pairs of faces to keep apart."""
        self._grouping, self._placed = IncrementalClusterer(self._vectors_of, cannot=cannot), set()

    def restore(self, members: ClusterInputs) -> None:
        """Add all faces of some clusters. Raises ValueError if loading was not started."""
        if self._grouping is None:
            raise ValueError
        faces, photos, people, groups = _columns(members)
        rows = self.index.rows(faces)
        known = [
            ClusterMember(face, float(self.index.trust[row]), photo, person, group)
            for face, row, photo, person, group in zip(*(each.tolist() for each in (faces, rows, photos, people, groups)), strict=True)
            if row >= 0
        ]
        self._grouping.restore(known)
        self._placed |= {member.face for member in known}

    def place(self, members: ClusterInputs) -> Placed:
        if self._grouping is None:
            return Placed(None)
        changed: dict[int, int] = {}
        faces, photos, people, _ = (each.tolist() for each in _columns(members))
        queries = self.index.faces(np.array(faces, np.int64))
        # In one pass over all faces: the pass takes longer than comparing with one more.
        found = self.index.near(queries, ClusterThresholds().within, NEAREST)
        rows = queries.rows.tolist()
        for face, photo, person, row, vector, near in zip(faces, photos, people, rows, queries.vectors, found, strict=True):
            if row < 0 or face in self._placed:
                continue
            self._placed.add(face)
            member = ClusterMember(face, float(self.index.trust[row]), photo, person)
            changed |= self._grouping.add(member, vector, near)
        return Placed(tuple((face, label + 1) for face, label in changed.items()))

    def _vectors_of(self, faces: Sequence[int]) -> Floats:
        """Return vectors; that of a missing face is similar to none."""
        return np.nan_to_num(self.index.faces(np.array(faces, np.int64)).vectors)

    def _queries(self, query: Query) -> FaceQueries:
        vectors = _matrix(b"".join(each if len(each) == EMBEDDING_BYTES else bytes(EMBEDDING_BYTES) for each in query.embeddings))
        return FaceQueries.of(vectors) + self.index.faces(np.array(query.faces, np.int64))


def _columns(members: ClusterInputs) -> tuple[Ints, Ints, Ints, Ints]:
    """Return faces, photos, people and clusters, int64 [n]; -1 for none, and for alone. Raises ValueError for different lengths."""
    sent = (members.faces, members.photos, members.people, members.groups)
    faces, photos, people, groups = (np.frombuffer(each, np.int64) for each in sent)
    if not len(faces) == len(photos) == len(people) == len(groups):
        raise ValueError
    return faces, photos, np.where(people == 0, ALONE, people), np.maximum(groups - 1, ALONE)


def _matrix(embeddings: bytes) -> Floats:
    return np.frombuffer(embeddings, "<f4").astype(np.float32, copy=False).reshape(-1, EMBEDDING_BYTES // 4)
