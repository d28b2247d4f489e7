"""The matcher in this very process, for tools and tests: nothing keeps the face prints apart."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from agent.domain.embeddings import FacePrint, GroupMember, Near, Spread
from agent.domain.people import Candidate
from agent.engine.matcher import ReadPrints
from agent.engine.matcher_port import Groups, Query
from agent.engine.matcher_service import MatchService
from agent.engine.matcher_wire import IdentifyRequest, Members, NearRequest, Placed, SpreadRequest, by_group, parts

T = TypeVar("T")


class InlineMatcher:
    """A FaceMatcher without a child process; one thing at a time."""

    def __init__(self, read: ReadPrints) -> None:
        self._read = read
        self._service: MatchService | None = None
        self._turn = asyncio.Lock()

    async def near(self, query: Query, *, within: float, limit: int) -> list[list[Near]]:
        return await self._question(lambda service: service.near(NearRequest(query, within, limit)))

    async def search(self, query: Query, *, limit: int) -> list[list[Near]]:
        return await self.near(query, within=2.0, limit=limit)

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        return await self._question(lambda service: service.identify(IdentifyRequest(query, probable, most)))

    async def group(self, members: Sequence[GroupMember], cannot: Sequence[tuple[int, int]] = ()) -> dict[int, int]:
        form = await self._question(lambda service: service.group(Members.of(members, cannot)))
        return dict((await asyncio.to_thread(form)).groups or ())

    async def place(self, fresh: Sequence[GroupMember], known: Callable[[], Groups]) -> dict[int, int]:
        def ask(service: MatchService) -> Placed:
            placed = service.place(Members.of(fresh))
            if placed.groups is None:
                before = known()
                service.begin(before.cannot)
                for part in by_group(before.members):
                    service.restore(part)
                placed = service.place(Members.of(fresh))
            return placed

        return dict((await self._question(ask)).groups or ())

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        return await self._question(lambda service: service.spread(SpreadRequest(tuple(map(tuple, groups)), most)))

    async def put(self, prints: Sequence[FacePrint]) -> None:
        async with self._turn:
            if self._service is not None:
                for part in parts(prints):
                    self._service.put(part)

    async def drop(self, faces: Sequence[int]) -> None:
        async with self._turn:
            if self._service is not None:
                self._service.drop(faces)

    async def assign(self, people: Mapping[int, int]) -> None:
        async with self._turn:
            if self._service is not None:
                self._service.assign(tuple(people.items()))

    def forget(self) -> None:
        self._service = None

    async def close(self) -> None:
        """Nothing to end."""
        self.forget()

    async def _question(self, ask: Callable[[MatchService], T]) -> T:
        async with self._turn:
            if self._service is None:
                self._service = await asyncio.to_thread(self._filled)
            return await asyncio.to_thread(ask, self._service)

    def _filled(self) -> MatchService:
        service = MatchService()
        for page in self._read():
            for part in parts(page):
                service.put(part)
        return service
