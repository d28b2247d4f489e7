"""Clusters of unnamed faces as cards: shown by their least similar faces, so that a cluster of two people shows both."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from agent.domain.clustering import ClusterThresholds
from agent.domain.embeddings import Spread
from agent.domain.errors import EngineError
from agent.features.library.records import FaceGroup, FaceReference
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.matcher_port import FaceMatcher

log = structlog.get_logger()

SHOWN = 4


@dataclass(frozen=True, slots=True)
class GroupCard:
    """A cluster, the faces that its name confirms, and whether it must be checked before naming."""

    id: int
    size: int
    faces: tuple[FaceReference, ...]
    doubtful: bool  # it may be two people's


class ClusterCards:
    def __init__(self, library: PeopleQueries, matcher: FaceMatcher) -> None:
        self._library = library
        self._matcher = matcher
        self._bounds = ClusterThresholds()

    async def page(self, *, limit: int, offset: int = 0) -> tuple[list[GroupCard], int]:
        """Return the largest first, and the total. Raises StoreError."""
        groups, total = await asyncio.to_thread(self._library.groups, limit=limit, offset=offset)
        spreads = await self._spreads([group.face_ids for group in groups])
        compared = {each for spread in spreads if spread is not None for each in spread.least_alike}
        refs = {face.id: face for face in await asyncio.to_thread(self._library.face_refs, compared)}
        return [await self._card(group, spread, refs) for group, spread in zip(groups, spreads, strict=True)], total

    async def faces(self, group_id: int) -> tuple[list[FaceReference], bool]:
        """Return all faces of a cluster, and whether it may be two people's: then one half precedes the other. Raises StoreError."""
        faces = await asyncio.to_thread(self._library.group_faces, group_id)
        [spread] = await self._spreads([[face.id for face in faces]])
        doubtful = self._doubtful(spread)
        if spread is not None and doubtful:
            other = frozenset(spread.other_half)
            faces.sort(key=lambda face: face.id in other)
        return faces, doubtful

    async def _spreads(self, groups: Sequence[Sequence[int]]) -> Sequence[Spread | None]:
        """Return the spreads; None for all if comparing fails now: the cards then name only the faces they show."""
        if not any(groups):
            return [None] * len(groups)
        try:
            return await self._matcher.spread(groups, most=SHOWN)
        except EngineError as error:
            log.warning("groups.not_compared", code=error.code)
            return [None] * len(groups)

    def _doubtful(self, spread: Spread | None) -> bool:
        return spread is not None and spread.apart > self._bounds.halves

    async def _card(self, group: FaceGroup, spread: Spread | None, refs: Mapping[int, FaceReference]) -> GroupCard:
        """Return the card; its least similar faces are completed with the best others if only few could be compared."""
        faces = [refs[each] for each in (spread.least_alike if spread is not None else ()) if each in refs]
        if len(faces) < min(SHOWN, len(group.face_ids)):
            best = await asyncio.to_thread(self._library.group_faces, group.id, limit=SHOWN)
            faces += [each for each in best if each not in faces]
        return GroupCard(group.id, len(group.face_ids), tuple(faces[:SHOWN]), self._doubtful(spread))
