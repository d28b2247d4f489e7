"""The doubtful faces that the user is asked about, each with faces of the person it may be, and which of those are like it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from agent.app.ports import Doubt, Library
from agent.domain.image import Recipe
from agent.domain.people import Bounds
from agent.domain.reference import distance


@dataclass(frozen=True, slots=True)
class Question:
    doubt: Doubt
    agree: frozenset[int]  # of the faces shown with it, those that are near it; of the others nothing can be said


class Review:
    def __init__(self, library: Library, *, recipe: Callable[[], Recipe], bounds: Callable[[], Bounds]) -> None:
        self._library = library
        self._recipe = recipe
        self._bounds = bounds

    async def questions(self, *, limit: int, person_id: int | None = None) -> tuple[list[Question], int]:
        """The surest first, and how many there are. Raises StoreError."""
        return await asyncio.to_thread(self._questions, limit, person_id)

    def _questions(self, limit: int, person_id: int | None) -> tuple[list[Question], int]:
        doubts, total = self._library.doubts(limit=limit, person_id=person_id)
        wanted = {face.id for doubt in doubts for face in (doubt.face, *doubt.shown)}
        embedder, probable = self._recipe().embedder, self._bounds().probable
        prints = {each.face_id: each.embedding for each in self._library.prints_of(wanted, embedder)} if embedder else {}

        def agrees(face: int, known: int) -> bool:
            return face in prints and known in prints and distance(prints[face], prints[known]) <= probable

        return [Question(each, frozenset(known.id for known in each.shown if agrees(each.face.id, known.id))) for each in doubts], total
