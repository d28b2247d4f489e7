"""The doubtful faces for the user's review, each with similar confirmed faces of the person."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from agent.domain.errors import EngineError
from agent.features.library.records import FaceReference, UncertainFace
from agent.features.people.identification import bounds_of
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.matcher_port import FaceMatcher, Query
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()

SHOWN = 3
MOST_NEAR = 500  # named faces: those of other people seldom come between


@dataclass(frozen=True, slots=True)
class Question:
    doubt: UncertainFace
    shown: tuple[FaceReference, ...]  # those that agree first, then the nearest of the others
    agree: frozenset[int]  # the shown faces that are near it; the others are undecided


class Review:
    def __init__(self, library: PeopleQueries, matcher: FaceMatcher, environment: Environment) -> None:
        self._library = library
        self._matcher = matcher
        self._environment = environment

    async def questions(self, *, limit: int, person_id: int | None = None) -> tuple[list[Question], int]:
        """Return the most certain first, and the total. Raises StoreError."""
        doubts, total = await asyncio.to_thread(self._library.doubts, limit=limit, person_id=person_id)
        near = await self._near([doubt.face.id for doubt in doubts])
        return await asyncio.to_thread(self._asked, doubts, near), total

    async def _near(self, faces: Sequence[int]) -> list[list[int]]:
        """Return similar named faces of each, nearest first; none if comparing fails now."""
        if not faces:
            return []
        try:
            within = bounds_of(self._environment.settings.value).probable
            found = await self._matcher.near(Query(faces=tuple(faces)), within=within, limit=MOST_NEAR, named=True)
        except EngineError as error:
            log.warning("review.not_compared", code=error.code)
            return [[] for _ in faces]
        return [[face_id for face_id, _ in row] for row in found]

    def _asked(self, doubts: Sequence[UncertainFace], near: Sequence[Sequence[int]]) -> list[Question]:
        people = {doubt.person_id for doubt in doubts}
        references = {each: frozenset(self._library.faces_of_people([each])) for each in people}
        agreeing = [[each for each in row if each in references[doubt.person_id]] for doubt, row in zip(doubts, near, strict=True)]
        refs = {face.id: face for face in self._library.face_refs({each for row in agreeing for each in row[: 2 * SHOWN]})}
        return [_question(doubt, [refs[each] for each in row if each in refs]) for doubt, row in zip(doubts, agreeing, strict=True)]


def _question(doubt: UncertainFace, agreeing: Sequence[FaceReference]) -> Question:
    likest = tuple(agreeing[:SHOWN])
    ids = frozenset(face.id for face in likest)
    others = tuple(face for face in doubt.shown if face.id not in ids)
    return Question(doubt, (*likest, *others)[:SHOWN], ids)
