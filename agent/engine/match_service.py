"""What the matcher does, whatever process it runs in."""

from collections.abc import Sequence

import numpy as np

from agent.app.ports import Query
from agent.domain.people import Candidate
from agent.domain.prints import Near
from agent.engine.match_wire import EMBEDDING_BYTES, IdentifyRequest, NearRequest, Prints
from agent.vision.face_index import FaceIndex, Queries
from agent.vision.vectors import Floats


class MatchService:
    """Owns the index. Not for several threads at a time."""

    def __init__(self) -> None:
        self.index = FaceIndex()

    def put(self, prints: Prints) -> None:
        """Raises ValueError for columns of different lengths."""
        vectors = _matrix(prints.embeddings)
        if not len(vectors) == len(prints.faces) == len(prints.people) == len(prints.trust):
            raise ValueError
        self.index.put(np.array(prints.faces, np.int64), vectors, np.array(prints.people, np.int64), np.array(prints.trust, np.float32))

    def drop(self, faces: Sequence[int]) -> None:
        self.index.drop(np.array(faces, np.int64))

    def assign(self, people: Sequence[tuple[int, int]]) -> None:
        """(face, person or 0)."""
        self.index.assign(dict(people))

    def near(self, asked: NearRequest) -> list[list[Near]]:
        return self.index.near(self._queries(asked.query), asked.within, asked.limit)

    def identify(self, asked: IdentifyRequest) -> list[list[Candidate]]:
        return self.index.identify(self._queries(asked.query), asked.probable, asked.most)

    def _queries(self, query: Query) -> Queries:
        vectors = _matrix(b"".join(each if len(each) == EMBEDDING_BYTES else bytes(EMBEDDING_BYTES) for each in query.embeddings))
        return Queries.of(vectors) + self.index.faces(np.array(query.faces, np.int64))


def _matrix(embeddings: bytes) -> Floats:
    return np.frombuffer(embeddings, "<f4").astype(np.float32, copy=False).reshape(-1, EMBEDDING_BYTES // 4)
