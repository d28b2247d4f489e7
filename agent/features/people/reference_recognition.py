"""Identification in a worker: by the confirmed faces alone, kept up to date with what is named elsewhere."""

import asyncio
from collections.abc import Iterator, Sequence

import structlog

from agent.domain.embeddings import FaceEmbedding
from agent.domain.errors import EngineError, StoreError
from agent.domain.events import PeopleChanged, PersonNamed, RecognitionPurged, StoredEvent
from agent.domain.face import Analysis
from agent.domain.identity_matching import IdentificationResult
from agent.features.library.recipes import EMBEDDER
from agent.features.people.identification import Identification
from agent.features.people.queries.people_queries import PeopleQueries
from agent.inference.engine.matcher_port import FaceMatcher
from agent.infrastructure.core.service_context import Environment

log = structlog.get_logger()


class KnownReferences:
    """The prints that a worker's matcher holds: make its matcher with `read`. Remembers whose they are, to tell what changed."""

    def __init__(self, library: PeopleQueries) -> None:
        self._library = library
        self._people: dict[int, int] | None = None  # by face, as the matcher was told; None before it was filled

    def read(self) -> Iterator[list[FaceEmbedding]]:
        """Yield all of them, for a matcher that starts. Blocks."""
        people: dict[int, int] = {}
        for page in self._library.references(EMBEDDER):
            people.update((each.face_id, each.person_id) for each in page)
            yield page
        self._people = people

    def changes(self) -> tuple[list[FaceEmbedding], list[int]]:
        """Return what to put into the matcher, and the faces to drop. Blocks."""
        if self._people is None:
            return [], []
        before, after = self._people, self._library.people_of_references(EMBEDDER)
        changed = [face for face, person in after.items() if before.get(face) != person]
        prints = self._library.prints_of(changed, EMBEDDER) if changed else []
        self._people = after
        return prints, [face for face in before if face not in after]

    def forget(self) -> None:
        self._people = None


class ReferenceRecognition:
    """An Identifier. Its opinions are the first; the server's process, which holds all faces, forms them again with each new photo."""

    def __init__(self, library: PeopleQueries, references: KnownReferences, matcher: FaceMatcher, environment: Environment) -> None:
        self._references = references
        self._matcher = matcher
        self._identification = Identification(library, matcher, environment)
        self._changed = asyncio.Event()

    def noticed(self, events: Sequence[StoredEvent]) -> None:
        """Take note of what happened elsewhere."""
        for each in events:
            if isinstance(each.event, RecognitionPurged):
                self._references.forget()
                self._matcher.forget()
            elif isinstance(each.event, PeopleChanged | PersonNamed):
                self._changed.set()

    async def run(self) -> None:
        """Keep the matcher up to date, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                prints, gone = await asyncio.to_thread(self._references.changes)
                await self._matcher.put(prints)
                await self._matcher.drop(gone)
            except StoreError as error:
                log.warning("people.references_late", code=error.code)
                self._references.forget()
                self._matcher.forget()  # the next photo fills a new one

    async def identify(self, analysis: Analysis) -> IdentificationResult:
        try:
            return await self._identification.of(analysis)
        except EngineError as error:
            log.warning("people.opinions_failed", code=error.code)
            return IdentificationResult((None,) * len(analysis.faces))

    async def written(self, events: Sequence[StoredEvent], judged: IdentificationResult) -> None:
        """Nothing: the server's process hears of the photo."""

    def doubt(self) -> None:
        """Nothing, as above."""

    async def close(self) -> None:
        await self._matcher.close()
