"""Comparison of the library's faces: near faces, and the nearest known people."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, Near, Spread
from agent.domain.identity_matching import Candidate


@dataclass(frozen=True, slots=True)
class Query:
    """A query by embeddings, and by faces of the library. Results come in this order, first the embeddings'."""

    embeddings: tuple[bytes, ...] = ()  # float32, little endian
    faces: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.embeddings) + len(self.faces)


@dataclass(frozen=True, slots=True)
class ClusterMembers:
    """The clusters of faces, one after another, and pairs of faces to keep apart."""

    members: Iterable[ClusterInput]  # may read, and so block
    cannot: tuple[tuple[int, int], ...] = ()


class FaceMatcher(Protocol):
    """Holds the library's face prints, loaded on first use, and then updated with each change.

    Implementations: a separate process, and this process (tests, tools). For a missing face or an invalid embedding
    results are empty; a face is never near itself, and is not its own reference. Changes are stored first: a later load
    includes them, so without a loaded library no update is needed, and a change never fails.
    """

    async def near(self, query: Query, *, within: float, limit: int, named: bool = False) -> list[list[Near]]:
        """Return the faces within the distance, or the `named` ones among them: nearest first, `limit` at most.

        Raises EngineError, or an error of reading the library.
        """
        ...

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        """Return the `most` nearest people among the named faces, nearest first. Raises as above."""
        ...

    async def group(self, members: ClusterInputs) -> bytes:
        """Compute all clusters from scratch: a column of each face's cluster, in their order, 0 for one that is alone or unknown.

        Other queries are answered meanwhile, and changes don't count. Raises as above.
        """
        ...

    async def place(self, fresh: Sequence[ClusterInput], known: Callable[[], ClusterMembers]) -> dict[int, int]:
        """Place new faces; return the new clusters of all faces whose cluster changed. `known` reads the earlier ones.

        It may block. Raises as above.
        """
        ...

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        """Return for each cluster how much its faces differ, with the `most` least similar ones. Raises as above.

        Faces with too little detail count only if the cluster has hardly any others.
        """
        ...

    async def put(self, prints: Sequence[FaceEmbedding]) -> None:
        """Add faces, or update their prints, people or trust."""
        ...

    async def drop(self, faces: Sequence[int]) -> None:
        """Remove faces, or faces without prints."""
        ...

    async def align(self, known: Callable[[], Mapping[int, int]]) -> list[int]:
        """Take over the people of all faces that have a print, and drop all others. Return the faces to `put`, because they are missing.

        `known` reads them, 0 for no person; it may block. Nothing is put or dropped meanwhile, so what was is among them.
        """
        ...

    def forget(self) -> None:
        """Release people's face data from memory: recognition was switched off, or the library was replaced."""
        ...

    async def close(self) -> None: ...
