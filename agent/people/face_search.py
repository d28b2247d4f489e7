"""Searches the library for the faces of a photo, without keeping the photo, or for one of its own faces."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.environment import Environment
from agent.core.reach import current_reach
from agent.domain.embeddings import Near
from agent.domain.errors import FaceUnknown, FaceWithoutPrint, RecognitionOff
from agent.domain.face import Box
from agent.domain.people import Identity, identify
from agent.engine.analyser import Analyser
from agent.engine.matcher_port import FaceMatcher, Query
from agent.library.recipes import EMBEDDER, embedding_task, recognises
from agent.library.records import FaceReference
from agent.people.face_finder import FaceFinder
from agent.people.identification import bounds_of
from agent.people.queries.among_rows import EVERYTHING, Among
from agent.people.queries.people_queries import PeopleQueries

MOST = 200  # faces shown for each


@dataclass(frozen=True, slots=True)
class Alike:
    """A face of the photo, its possible person, and similar faces of the library."""

    box: Box
    identity: Identity | None
    found: tuple[FaceReference, ...]  # the most similar first


@dataclass(frozen=True, slots=True)
class FaceSearchResult:
    width: int
    height: int
    faces: tuple[Alike, ...]


class FaceSearch:
    def __init__(
        self, library: PeopleQueries, analyser: Analyser, matcher: FaceMatcher, finder: FaceFinder, environment: Environment
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._matcher = matcher
        self._finder = finder
        self._environment = environment

    async def search(self, path: str, among: Among = EVERYTHING) -> FaceSearchResult:
        """Search by a photo. Raises RecognitionOff, ImageError, EngineError, StoreError."""
        if not recognises(self._environment.settings.value):
            raise RecognitionOff
        analysis = await self._analyser.analyse(embedding_task(self._environment.settings.value, path))
        await self._record(len(analysis.faces))
        bounds = bounds_of(self._environment.settings.value)
        query = Query(embeddings=tuple(face.embedding or b"" for face in analysis.faces))
        near = await self._finder.near(query.embeddings, within=bounds.probable, limit=MOST, among=among)
        people = await self._matcher.identify(query, probable=bounds.probable)
        if current_reach() is not None:  # the matcher knows the people of all libraries
            known = await asyncio.to_thread(self._library.person_names)
            people = [[each for each in row if each.person_id in known] for row in people]
        refs = await self._references(near)
        return FaceSearchResult(
            analysis.width,
            analysis.height,
            tuple(
                Alike(face.box, identify(who, face.quality, bounds), tuple(refs[each] for each, _ in row if each in refs))
                for face, row, who in zip(analysis.faces, near, people, strict=True)
            ),
        )

    async def search_face(self, face_id: int, among: Among = EVERYTHING) -> FaceSearchResult:
        """Search by a face of the library. Raises RecognitionOff, FaceUnknown, FaceWithoutPrint, EngineError, StoreError."""
        if not recognises(self._environment.settings.value):
            raise RecognitionOff
        face = next(iter(await asyncio.to_thread(self._library.face_refs, [face_id])), None)
        if face is None:
            raise FaceUnknown
        prints = await asyncio.to_thread(self._library.prints_of, [face_id], EMBEDDER)
        if not prints:
            raise FaceWithoutPrint
        await self._record(1)
        bounds = bounds_of(self._environment.settings.value)
        near = await self._finder.near([prints[0].embedding], within=bounds.probable, limit=MOST + 1, among=among)
        refs = await self._references(near)
        found = tuple(refs[each] for each, _ in near[0] if each in refs and each != face_id)[:MOST]
        identity = await asyncio.to_thread(self._library.identity_of, face_id)
        return FaceSearchResult(face.width, face.height, (Alike(face.box, identity, found),))

    async def _record(self, faces: int) -> None:
        """Before any answer: a search that can't be recorded doesn't happen. Raises StoreError."""
        await asyncio.to_thread(self._library.audit_add, "face_searched", None, faces, self._environment.clock())

    async def _references(self, near: Sequence[Sequence[Near]]) -> dict[int, FaceReference]:
        wanted = {face_id for row in near for face_id, _ in row}
        return {ref.id: ref for ref in await asyncio.to_thread(self._library.face_refs, wanted)}
