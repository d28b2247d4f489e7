"""Identifies faces from their embeddings, without inference: embeddings are facts, identities are derived."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from agent.domain.edits import EditStep
from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.face import Analysis, Face
from agent.domain.identity_matching import Bounds, Candidate, IdentificationResult, Identity, assign_unique, clearly_another, identify
from agent.features.library.recipes import recipe_of
from agent.features.library.records import UnidentifiedFace
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.matcher_port import FaceMatcher, Query
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings

# Returns the people that faces resemble, from embeddings that are not stored; raises EngineError instead of guessing.
Lookalikes: TypeAlias = Callable[[Sequence[UnsavedEmbedding]], Awaitable[list[Identity | None]]]

PAGE = 2_000
MANY = 2_000  # faces per step: larger changes are processed page by page, so that other requests get through
AT_ONCE = 500  # faces identified before other requests get a turn
NEAREST_PEOPLE = 10  # considered for each face, because some may have been rejected
MOST_NEAR = 10_000  # faces that one naming affects


def bounds_of(settings: Settings) -> Bounds:
    """Return the distances up to which the settings take two faces for one person."""
    return Bounds(settings.recognition.certain, settings.recognition.probable)


class Identification:
    """Identifies faces and stores the results; keeps the matcher consistent with the library."""

    def __init__(self, library: PeopleQueries, matcher: FaceMatcher, environment: Environment) -> None:
        self.formed = ChangeSignal()
        """opinions were written"""
        self._library = library
        self._matcher = matcher
        self._environment = environment
        self._version = 0  # of the known people: an identification from before a change is repeated

    @property
    def _embedder(self) -> str | None:
        return recipe_of(self._environment.settings.value).embedder

    def _bounds(self) -> Bounds:
        return bounds_of(self._environment.settings.value)

    def outdated(self) -> None:
        """Note that the known people changed."""
        self._version += 1

    def forget(self) -> None:
        """Release people's data from memory: recognition was switched off, or much was deleted."""
        self.outdated()
        self._matcher.forget()

    async def align(self) -> None:
        """Take over from the library what another process changed. Raises StoreError."""
        self.outdated()
        embedder = self._embedder
        if embedder is None:
            self._matcher.forget()
        elif missing := await self._matcher.align(partial(self._library.people_of_prints, embedder)):
            await self._tell(missing, embedder)

    async def of(self, analysis: Analysis) -> IdentificationResult:
        """Return the people of a new analysis. Raises EngineError, StoreError."""
        if analysis.recipe.embedder is None or not analysis.faces:
            return IdentificationResult((None,) * len(analysis.faces))
        version = self._version
        before = await asyncio.to_thread(self._library.faces_of, analysis.sha256)
        found = await self.lookalikes([UnsavedEmbedding(face.embedding or b"", face.quality) for face in analysis.faces])
        return IdentificationResult(tuple(assign_unique(found)), version, frozenset(before))

    async def who(self, faces: Sequence[Face]) -> list[Identity | None]:
        """Return the people of faces seen together, without storing anything. Raises EngineError, StoreError."""
        return assign_unique(await self.lookalikes([UnsavedEmbedding(face.embedding or b"", face.quality) for face in faces]))

    async def lookalikes(self, prints: Sequence[UnsavedEmbedding]) -> list[Identity | None]:
        """Return the person each face resembles; several may resemble the same person. Raises EngineError, StoreError."""
        candidates = await self._candidates(Query(embeddings=tuple(each.embedding for each in prints)))
        bounds = self._bounds()
        return [identify(near, each.quality, bounds) for near, each in zip(candidates, prints, strict=True)]

    async def clearly_another(self, embedding: bytes, person_id: int) -> int | None:
        """Return the person that a face of `person_id` resembles instead, or None. Raises EngineError, StoreError."""
        [candidates] = await self._candidates(Query(embeddings=(embedding,)))
        return clearly_another(candidates, person_id, self._bounds())

    async def written(self, image_id: int, judged: IdentificationResult) -> None:
        """Tell the matcher the prints of an image that was stored with this identification. Raises EngineError, StoreError."""
        embedder = self._embedder
        if embedder is None:
            return
        faces = await asyncio.to_thread(self._library.faces_of_image, image_id)
        await self._tell(judged.faces_before | set(faces), embedder)
        known = await asyncio.to_thread(self._library.faces_of_people, None, within=faces)
        if known:
            self.outdated()  # the new analysis contained the print of a known face
            await self._form(set(faces) | await self._around(known))
        elif judged.version != self._version:
            await self._form(faces)

    async def arrived(self, image_ids: Sequence[int], *, identify: bool = True) -> None:
        """Take over images that another process analysed and identified by what it knew. Raises EngineError, StoreError.

        Without `identify` only the matcher is told.
        """
        embedder = self._embedder
        if embedder is None:
            return
        images = await asyncio.to_thread(self._library.images_by_id, image_ids)
        thought = {stored.id: stored.identity for image in images for stored in image.faces}
        await self._tell(thought, embedder)
        if not identify:
            return
        known = await asyncio.to_thread(self._library.faces_of_people, None, within=thought)
        if known:
            self.outdated()  # as above
            await self._form(set(thought) | await self._around(known))
        else:
            await self._form(thought, thought)

    async def follow(self, step: EditStep) -> bool:
        """Identify again what an edit or its undo may affect. Raises EngineError, StoreError.

        Return False if it affects so much that reloading the matcher is faster, and everything must be identified again.
        """
        embedder = self._embedder
        self.outdated()
        if embedder is None or not (step.faces or step.people):
            return True
        if len(step.faces) > MANY:
            return False
        faces = set(step.faces)
        if step.action in ("describe", "merge"):  # they may be recognised no longer, or again
            faces |= set(await asyncio.to_thread(self._library.faces_of_people, step.people))
            faces |= set(await asyncio.to_thread(self._library.references_of_team, step.people))
        await self._tell(faces, embedder)
        if step.action == "describe" and await asyncio.to_thread(self._library.lapsed_of_team, step.people):
            self._matcher.forget()  # it may hold the team's prints of them
        thought = await asyncio.to_thread(self._library.faces_thought_of, step.people)
        await self._form(faces | set(thought) | await self._around(faces))
        return True

    async def form_all(self, turn: asyncio.Lock) -> None:
        """Identify everything, a page at a time, each with its own turn: edits in between count. Raises EngineError, StoreError."""
        after = 0
        async with turn:
            self.outdated()
        while True:
            async with turn:
                embedder = self._embedder
                page = [] if embedder is None else await asyncio.to_thread(self._library.unconfirmed, embedder, after=after, limit=AT_ONCE)
                if not page:
                    return
                await self._form(page)
                after = page[-1]

    async def _tell(self, faces: Collection[int], embedder: str) -> None:
        """Tell the matcher the library's current data of these faces."""
        prints = await asyncio.to_thread(self._library.prints_of, faces, embedder)
        await self._matcher.put(prints)
        await self._matcher.drop([*(set(faces) - {each.face_id for each in prints})])

    async def _around(self, faces: Collection[int]) -> set[int]:
        """Return the faces that may be the same person as one of these."""
        if not faces:
            return set()
        near = await self._matcher.near(Query(faces=tuple(faces)), within=self._bounds().probable, limit=MOST_NEAR)
        return {face_id for row in near for face_id, _ in row}

    async def _form(self, faces: Iterable[int], thought: Mapping[int, Identity | None] | None = None) -> None:
        """Identify the faces and store it; where they were `thought` to be the same people already, nothing is written."""
        wanted = sorted(set(faces))
        embedder = self._embedder
        for start in range(0, len(wanted), PAGE):
            if embedder is None:
                return
            rows = await asyncio.to_thread(self._library.to_judge, wanted[start : start + PAGE], embedder)
            candidates = await self._candidates(Query(faces=tuple(row.face_id for row in rows)))
            results = _judged(rows, candidates, self._bounds())
            if thought is not None:
                results = {face_id: found for face_id, found in results.items() if not _same(found, thought.get(face_id))}
                if not results:
                    continue
            await asyncio.to_thread(self._library.set_identities, results, now=self._environment.clock())
            self.formed.notify()

    async def _candidates(self, query: Query) -> list[list[Candidate]]:
        if not len(query):
            return []
        return await self._matcher.identify(query, probable=self._bounds().probable, most=NEAREST_PEOPLE)


def _same(one: Identity | None, other: Identity | None) -> bool:
    """Whether they differ in nothing but the last digits of a distance."""
    if one is None or other is None:
        return one is other
    return one == replace(other, distance=one.distance)


def _judged(rows: Sequence[UnidentifiedFace], candidates: Sequence[Sequence[Candidate]], bounds: Bounds) -> dict[int, Identity | None]:
    """Return identities by face. Exclude rejected people. Within one photo, assign each person to at most one face."""
    found: dict[int, dict[int, Identity | None]] = {}
    for row, near in zip(rows, candidates, strict=True):
        possible = [each for each in near if each.person_id not in row.ruled_out]
        found.setdefault(row.image_id, {})[row.face_id] = identify(possible, row.face.quality, bounds)
    return {
        face_id: opinion
        for on_photo in found.values()
        for face_id, opinion in zip(on_photo, assign_unique(list(on_photo.values())), strict=True)
    }
