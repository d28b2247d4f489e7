"""A worker identifies by the confirmed faces, and follows what is named, renamed and forgotten elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from agent.domain.edits import NameFacesEdit
from agent.domain.embeddings import FaceEmbedding, UnsavedEmbedding
from agent.domain.events import PeopleChanged, RecognitionPurged, StoredEvent
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.features.library.recipes import EMBEDDER, everything
from agent.features.people.identification import Identification
from agent.features.people.reference_recognition import KnownReferences, ReferenceRecognition
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.settings import Settings
from tests.support.in_process_agent import FakeMatcher, analysis
from tests.support.service_environment import environment

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = Settings.model_validate({"recognition": {"enabled": True}})


class ToldMatcher(FakeMatcher):
    told = asyncio.Event()

    async def drop(self, faces: Sequence[int]) -> None:
        await super().drop(faces)
        self.told.set()


class Here:
    def __init__(self, library: RedactionQueries) -> None:
        self.library = library
        references = KnownReferences(library)
        self.matcher = ToldMatcher(references.read)
        self.recognition = ReferenceRecognition(library, references, self.matcher, environment(SETTINGS))

    def stored(self, content: bytes) -> int:
        """Store a photo with one face; returns the face's id."""
        path = f"/photos/{content.hex()}.jpg"
        self.library.note_file(FileSeen(path, 1, 1), everything(SETTINGS), priority=Priority.NEW, now=NOW)
        [job], _ = self.library.lease(1, now=NOW, until=NOW)
        self.library.commit(job, analysis(content, everything(SETTINGS)), now=NOW)
        image = self.library.images(limit=1)[0]
        return image.faces[0].id

    def name(self, face_id: int, name: str) -> int:
        step, _ = self.library.edit(NameFacesEdit(face_ids=(face_id,), name=name), now=NOW)
        assert step.person_id is not None
        return step.person_id

    async def who(self, content: bytes) -> int | None:
        judged = await self.recognition.identify(analysis(content, everything(SETTINGS)))
        [identity] = judged.identities
        return identity.person_id if identity else None

    async def told(self, event: PeopleChanged | RecognitionPurged) -> None:
        self.matcher.told = asyncio.Event()
        self.recognition.noticed([StoredEvent(1, NOW, event)])
        if isinstance(event, PeopleChanged):
            await self.matcher.told.wait()


@pytest.fixture
async def here(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    made = Here(library)
    running = asyncio.create_task(made.recognition.run())
    yield made
    running.cancel()


async def test_only_confirmed_faces_are_held(here: Here) -> None:
    ada, _ = here.stored(b"a1"), here.stored(b"b1")
    person = here.name(ada, "Ada")
    assert await here.who(b"a2") == person
    assert here.matcher._known is not None and set(here.matcher._known) == {ada}


async def test_names_given_elsewhere_count_from_the_next_photo_on(here: Here) -> None:
    ada, bo = here.stored(b"a1"), here.stored(b"b1")
    here.name(ada, "Ada")
    assert await here.who(b"b2") is None
    person = here.name(bo, "Bo")
    await here.told(PeopleChanged(action="name"))
    assert await here.who(b"b2") == person
    renamed = here.name(bo, "Cy")
    await here.told(PeopleChanged(action="name"))
    assert await here.who(b"b2") == renamed != person
    here.library.forget_person(renamed, now=NOW, note="n")
    await here.told(PeopleChanged(action="forget"))
    assert await here.who(b"b2") is None


async def test_a_server_takes_over_what_another_process_named_without_reading_all_prints_again(library: RedactionQueries) -> None:
    here, reads = Here(library), list[None]()

    def read() -> Iterator[list[FaceEmbedding]]:
        reads.append(None)
        yield from library.prints(EMBEDDER)

    identification = Identification(library, matcher := FakeMatcher(read), environment(SETTINGS))
    ada, bo = here.stored(b"a1"), here.stored(b"b1")
    person = here.name(ada, "Ada")
    found = [
        UnsavedEmbedding(face.embedding or b"", face.quality)
        for content in (b"b", b"c")
        for face in analysis(content, everything(SETTINGS)).faces
    ]
    assert await identification.lookalikes(found) == [None, None]
    other, unheard = here.name(bo, "Bo"), here.stored(b"c1")  # a face that this process has not been told of
    third = here.name(unheard, "Cy")
    await identification.align()
    assert [each and each.person_id for each in await identification.lookalikes(found)] == [other, third]
    assert matcher._known is not None and {each.person_id for each in matcher._known.values()} == {person, other, third}
    assert len(reads) == 1 and matcher.forgotten == 0
    library.purge_recognition(now=NOW)
    await identification.align()
    assert matcher._known == {}


async def test_after_the_end_of_recognition_nothing_is_kept(here: Here) -> None:
    ada = here.stored(b"a1")
    here.name(ada, "Ada")
    assert await here.who(b"a2") is not None
    here.library.purge_recognition(now=NOW)
    await here.told(RecognitionPurged(embeddings=1, chips=1))
    assert here.matcher.forgotten == 1
    assert await here.who(b"a2") is None
