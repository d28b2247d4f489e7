"""Searches the library for the faces of a photo, without keeping the photo, or for one of its own faces; and what finds them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.domain.embeddings import Near
from agent.domain.errors import FaceUnknown, FaceWithoutPrint, RecognitionOff
from agent.domain.face import Box
from agent.domain.identity_matching import Bounds, Certainty, Identity, identify
from agent.features.library.recipes import EMBEDDER, embedding_task, recognises
from agent.features.library.records import FaceReference
from agent.features.people.identification import bounds_of
from agent.features.people.queries.people_queries import PeopleQueries
from agent.features.people.queries.search_filter import EVERYTHING, FaceSearchFilter
from agent.inference.engine.analyser import Analyser
from agent.inference.engine.matcher_port import FaceMatcher, Query
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.service_context import Environment

MOST = 200  # faces shown for each
_MOST_BEFORE = 10_000  # faces near enough that a filter is applied to


class FaceFinder(Protocol):
    """Implementations: the matcher, which holds all embeddings, and a server's database."""

    async def near(
        self, embeddings: Sequence[bytes], *, within: float, limit: int, among: FaceSearchFilter = EVERYTHING
    ) -> list[list[Near]]:
        """Return for each embedding the faces within the distance, nearest first, `limit` at most; none for an invalid embedding.

        Raises EngineError, StoreError.
        """
        ...


class MatcherFinder:
    """Implements FaceFinder by the matcher."""

    def __init__(self, library: PeopleQueries, matcher: FaceMatcher) -> None:
        self._library = library
        self._matcher = matcher

    async def near(
        self, embeddings: Sequence[bytes], *, within: float, limit: int, among: FaceSearchFilter = EVERYTHING
    ) -> list[list[Near]]:
        query = Query(embeddings=tuple(embeddings))
        if among == EVERYTHING:
            return await self._matcher.near(query, within=within, limit=limit)
        found = await self._matcher.near(query, within=within, limit=_MOST_BEFORE)
        ids = {face_id for row in found for face_id, _ in row}
        wanted = await asyncio.to_thread(self._library.faces_among, ids, among)
        return [[each for each in row if each[0] in wanted][:limit] for row in found]


@dataclass(frozen=True, slots=True)
class SimilarFace:
    """A face of the library, and how certain it is that it is the searched person: CERTAIN or PROBABLE."""

    face: FaceReference
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class Alike:
    """A face of the photo, its possible person, and similar faces of the library."""

    box: Box
    identity: Identity | None
    found: tuple[SimilarFace, ...]  # the most similar first
    image_id: int | None = None  # of the face, if it is one of the library


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

    async def search(self, path: str, among: FaceSearchFilter = EVERYTHING) -> FaceSearchResult:
        """Search by a photo. Raises RecognitionOff, ImageError, EngineError, StoreError."""
        if not recognises(self._environment.settings.value):
            raise RecognitionOff
        analysis = await self._analyser.analyse(embedding_task(self._environment.settings.value, path))
        await self._record(len(analysis.faces))
        bounds = bounds_of(self._environment.settings.value)
        query = Query(embeddings=tuple(face.embedding or b"" for face in analysis.faces))
        near = await self._finder.near(query.embeddings, within=bounds.probable, limit=MOST, among=among)
        people = await self._matcher.identify(query, probable=bounds.probable)
        if current_scope() is not None:  # the matcher knows the people of all libraries
            known = await asyncio.to_thread(self._library.person_names)
            people = [[each for each in row if each.person_id in known] for row in people]
        found = await self._similar(near, bounds)
        return FaceSearchResult(
            analysis.width,
            analysis.height,
            tuple(
                Alike(face.box, identify(who, face.quality, bounds), similar)
                for face, similar, who in zip(analysis.faces, found, people, strict=True)
            ),
        )

    async def search_face(self, face_id: int, among: FaceSearchFilter = EVERYTHING) -> FaceSearchResult:
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
        [similar] = await self._similar(near, bounds)
        found = tuple(each for each in similar if each.face.id != face_id)[:MOST]
        identity = await asyncio.to_thread(self._library.identity_of, face_id)
        return FaceSearchResult(face.width, face.height, (Alike(face.box, identity, found, face.image_id),))

    async def _record(self, faces: int) -> None:
        """Before any answer: a search that can't be recorded doesn't happen. Raises StoreError."""
        await asyncio.to_thread(self._library.note_search, faces, now=self._environment.clock())

    async def _similar(self, near: Sequence[Sequence[Near]], bounds: Bounds) -> list[tuple[SimilarFace, ...]]:
        wanted = {face_id for row in near for face_id, _ in row}
        refs = {ref.id: ref for ref in await asyncio.to_thread(self._library.face_refs, wanted)}
        return [
            tuple(
                SimilarFace(refs[face_id], Certainty.CERTAIN if distance <= bounds.certain else Certainty.PROBABLE)
                for face_id, distance in row
                if face_id in refs
            )
            for row in near
        ]
