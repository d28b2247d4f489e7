"""What compares the faces of the library: who is near whom, and nearest to which known people."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.domain.embeddings import FacePrint, GroupMember, Near, Spread
from agent.domain.people import Candidate


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked about: embeddings, and faces of the library by id. Answers come in this order, first the embeddings'."""

    embeddings: tuple[bytes, ...] = ()  # float32, little endian
    faces: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.embeddings) + len(self.faces)


@dataclass(frozen=True, slots=True)
class Groups:
    """How faces are grouped, and pairs of faces that must not meet."""

    members: tuple[GroupMember, ...]
    cannot: tuple[tuple[int, int], ...] = ()


class FaceMatcher(Protocol):
    """Holds the face prints of the library, read when it is first asked, and told of each change from then on.

    Implementations: a process of its own, and this process (tests, tools). About a face that is not there, or an embedding that is none,
    every answer is empty; a face is never found near itself, and is no reference of its own. Changes are made in the store first: whoever
    reads the library later finds them there, so nobody need be told who has not read it, and a change never fails.
    """

    async def near(self, query: Query, *, within: float, limit: int) -> list[list[Near]]:
        """The faces not farther than `within`, nearest first, `limit` at most. Raises EngineError, or what reading the library raises."""
        ...

    async def search(self, query: Query, *, limit: int) -> list[list[Near]]:
        """The `limit` nearest faces. Raises as above."""
        ...

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        """The `most` nearest people among the faces that have one, nearest first. Raises as above."""
        ...

    async def group(self, members: Sequence[GroupMember], cannot: Sequence[tuple[int, int]] = ()) -> dict[int, int]:
        """Form all groups from nothing: each face's group, 0 for one that is alone. `cannot` are pairs of faces that must not meet.

        Takes half a minute for 100,000 faces; everything else is answered meanwhile, and what changes does not count. Raises as above.
        """
        ...

    async def place(self, fresh: Sequence[GroupMember], known: Callable[[], Groups]) -> dict[int, int]:
        """Find the groups of faces that came since: the groups of all that have another one now. `known` reads how it was; it may block.

        Raises as above.
        """
        ...

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        """For each group of faces, how far they differ; of the least alike `most` faces. Raises as above.

        Faces that show too little to be compared count only where a group has hardly any others.
        """
        ...

    async def put(self, prints: Sequence[FacePrint]) -> None:
        """Faces were added, or their prints, people or trust changed."""
        ...

    async def drop(self, faces: Sequence[int]) -> None:
        """Faces went, or lost their prints."""
        ...

    async def assign(self, people: Mapping[int, int]) -> None:
        """Faces (the keys) are those of a person now, or nobody's (0)."""
        ...

    def forget(self) -> None:
        """Hold nothing of people's faces in memory any more: recognition was switched off, or the library is another one."""
        ...

    async def close(self) -> None: ...
