"""Finding the faces of the library that look like a given one."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from agent.domain.embeddings import Near
from agent.engine.matcher_port import FaceMatcher, Query
from agent.people.queries.among_rows import EVERYTHING, Among
from agent.people.queries.people_queries import PeopleQueries

_MOST_BEFORE = 10_000  # faces near enough that a filter is applied to


class FaceFinder(Protocol):
    """Implementations: the matcher, which holds all embeddings, and a server's database."""

    async def near(self, embeddings: Sequence[bytes], *, within: float, limit: int, among: Among = EVERYTHING) -> list[list[Near]]:
        """Return for each embedding the faces within the distance, nearest first, `limit` at most; none for an invalid embedding.

        Raises EngineError, StoreError.
        """
        ...


class MatcherFinder:
    """Implements FaceFinder by the matcher."""

    def __init__(self, library: PeopleQueries, matcher: FaceMatcher) -> None:
        self._library = library
        self._matcher = matcher

    async def near(self, embeddings: Sequence[bytes], *, within: float, limit: int, among: Among = EVERYTHING) -> list[list[Near]]:
        query = Query(embeddings=tuple(embeddings))
        if among == EVERYTHING:
            return await self._matcher.near(query, within=within, limit=limit)
        found = await self._matcher.near(query, within=within, limit=_MOST_BEFORE)
        ids = {face_id for row in found for face_id, _ in row}
        wanted = await asyncio.to_thread(self._library.faces_among, ids, among)
        return [[each for each in row if each[0] in wanted][:limit] for row in found]
