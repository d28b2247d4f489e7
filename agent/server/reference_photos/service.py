"""Takes reference photos on a team server: the one face of each becomes a reference of a person who agreed, and the photo is dropped."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from agent.domain import reference_path
from agent.domain.edits import EditStep
from agent.domain.errors import AgentError, RecognitionOff, ReferenceNoFace
from agent.domain.reference import check_reference
from agent.features.library.recipes import embedding_task, recognises
from agent.features.library.records import FaceReference
from agent.features.people.editor import IN_DOUBT, PeopleEditor
from agent.features.people.identification import Identification
from agent.features.people.queries.reference_queries import NewReference
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.store.reference_facts import ADDED
from agent.server.libraries.library_choice import LibraryChoice
from agent.server.reference_photos.queries import KnownPerson, ReferenceQueries


@dataclass(frozen=True, slots=True)
class AddedReference:
    step: EditStep
    resembles: KnownPerson | None = None
    """another person that the face clearly resembles more"""


class ReferencePhotos:
    def __init__(
        self,
        library: ReferenceQueries,
        people: PeopleEditor,
        identification: Identification,
        analyser: Analyser,
        libraries: LibraryChoice,
        environment: Environment,
    ) -> None:
        self._library = library
        self._people = people
        self._identification = identification
        self._analyser = analyser
        self.libraries = libraries
        self._environment = environment

    async def of(self, person_id: int) -> list[FaceReference]:
        """Return a person's references, newest first. Raises PersonUnknown, StoreError."""
        return await asyncio.to_thread(self._library.person_references, person_id)

    async def check_can_add(self, person_id: int) -> AgentError | None:
        """Return why a person may have no reference added; None if they may. Raises StoreError."""
        if not recognises(self._environment.settings.value):
            return RecognitionOff()
        return await asyncio.to_thread(self._library.check_can_add, person_id, now=self._environment.clock())

    async def add(self, person_id: int, path: str, library: str = "") -> AddedReference:
        """Make a photo a person's reference, in a library: if there is one alone, it need not be named.

        The same photo again changes nothing. No photo of a person without consent is analysed. A face that resembles another person is
        taken, too, because the member may know better: the result names that person if the member may see them.

        Raises RecognitionOff, PersonUnknown, UnfitReference, UploadLibrary, ImageError, EngineError, StoreError.
        """
        settings = self._environment.settings.value
        if not recognises(settings):
            raise RecognitionOff
        await asyncio.to_thread(self._library.check_people, [person_id], whole=False)
        into = self.libraries.meant(library)
        key = reference_path.key_of(await asyncio.to_thread(_digest, path))
        with everything():  # another library's reference is no less this person's
            if await asyncio.to_thread(self._library.has_reference, person_id, key, now=self._environment.clock()):
                return AddedReference(EditStep(ADDED, 0, person_id=person_id))
        analysis = await self._analyser.analyse(replace(embedding_task(settings, path), keep_chips=True))
        if (unfit := check_reference(analysis.faces)) is not None:
            raise unfit
        [face] = analysis.faces
        if face.embedding is None or face.chip is None:
            raise ReferenceNoFace
        new = NewReference(key, face, analysis.recipe.detector, analysis.precision)
        resembles = await self._resembles(face.embedding, person_id)  # before the face itself is among the person's
        step = await self._people.change(
            lambda: self._library.add_reference(person_id, new, into, now=self._environment.clock(), note=IN_DOUBT)
        )
        return AddedReference(step, resembles)

    async def _resembles(self, embedding: bytes, person_id: int) -> KnownPerson | None:
        """Return the person that the face resembles instead; None if the member may not see them."""
        with everything():  # what the matcher holds is everyone's
            other = await self._identification.clearly_another(embedding, person_id)
        return None if other is None else await asyncio.to_thread(self._library.known_person, other)

    async def remove(self, person_id: int, face_id: int) -> EditStep:
        """Remove one of a person's references. Raises PersonUnknown, FaceUnknown, StoreError."""
        await asyncio.to_thread(self._library.check_people, [person_id], whole=False)
        await asyncio.to_thread(self._library.check_faces, [face_id])
        return await self._people.change(
            lambda: self._library.remove_reference(person_id, face_id, now=self._environment.clock(), note=IN_DOUBT)
        )


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
