"""References of people who agreed to recognition, in the encrypted library: each method is one transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from agent.domain.consent import Purpose
from agent.domain.edits import EditStep
from agent.domain.errors import AgentError, FaceUnknown, PersonUnknown, ReferenceTaken, ReferenceWithoutConsent
from agent.domain.events import StoredEvent
from agent.features.library.queries import identity_queries
from agent.features.people.queries import consent_queries, reference_queries
from agent.features.people.queries.people_queries import PeopleQueries, concluded
from agent.features.people.queries.reference_queries import NewReference
from agent.infrastructure.store import audit_libraries
from agent.infrastructure.store.reference_facts import ADDED, REFERENCE, REMOVED
from agent.infrastructure.store.schema import person
from agent.infrastructure.store.undo_log import Journal


@dataclass(frozen=True, slots=True)
class KnownPerson:
    id: int
    name: str


class ReferenceQueries(PeopleQueries):
    def known_person(self, person_id: int) -> KnownPerson | None:
        """Return a person; None if they aren't within reach."""
        with self.database.read() as tx:
            name = tx.scalar(select(person.c.name).where(person.c.id == person_id))
        return None if name is None else KnownPerson(person_id, name)

    def check_can_add(self, person_id: int, *, now: datetime) -> AgentError | None:
        """Return why a person may have no reference added; None if they may."""
        with self.database.read() as tx:
            return None if _may_have(tx, person_id, now) else ReferenceWithoutConsent()

    def has_reference(self, person_id: int, key: str, *, now: datetime) -> bool:
        """Return whether the photo is this person's reference already. Raises PersonUnknown, ReferenceWithoutConsent, ReferenceTaken."""
        with self.database.read() as tx:
            return _held(tx, person_id, key, now)

    def add_reference(
        self, person_id: int, new: NewReference, library_id: int | None, *, now: datetime, note: str
    ) -> tuple[EditStep, list[StoredEvent]]:
        """Add a reference, unless it is there. Raises as `has_reference`; consent may have ended while the photo was analysed."""
        with self.database.write(durable=True) as tx:
            if _held(tx, person_id, new.key, now):
                return EditStep(ADDED, 0, person_id=person_id), []
            never, journal = identity_queries.never_recognised(tx), Journal(tx)
            face_id = reference_queries.put(tx, person_id, new, library_id, now)
            journal.made(REFERENCE, new.key)
            audit_libraries.add_of_faces(tx, ADDED, _uid(tx, person_id), [face_id], now)
            step = journal.close(ADDED, 1, now, person_id=person_id)
            return step, concluded(tx, step, never, now, note)

    def remove_reference(self, person_id: int, face_id: int, *, now: datetime, note: str) -> tuple[EditStep, list[StoredEvent]]:
        """Remove a reference. Raises FaceUnknown if the face is none of this person's."""
        with self.database.write(durable=True) as tx:
            key = reference_queries.key_of(tx, person_id, face_id)
            if key is None:
                raise FaceUnknown
            never, journal = identity_queries.never_recognised(tx), Journal(tx)
            if tx.scalar(select(person.c.cover_face_id).where(person.c.id == person_id)) == face_id:
                journal.set("cover_face_id", [person_id], None)
            audit_libraries.add_of_faces(tx, REMOVED, _uid(tx, person_id), [face_id], now)
            journal.set(REFERENCE, [key], None)
            step = journal.close(REMOVED, 1, now, person_id=person_id)
            return step, concluded(tx, step, never, now, note)


def _may_have(tx: Connection, person_id: int, now: datetime) -> bool:
    return person_id in consent_queries.agreed(tx, Purpose.RECOGNISE, now) - identity_queries.never_recognised(tx)


def _held(tx: Connection, person_id: int, key: str, now: datetime) -> bool:
    if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise PersonUnknown
    if not _may_have(tx, person_id, now):
        raise ReferenceWithoutConsent
    whose = reference_queries.person_of(tx, key)
    if whose is not None and whose != person_id:
        raise ReferenceTaken
    return whose is not None


def _uid(tx: Connection, person_id: int) -> str | None:
    return tx.scalar(select(person.c.uid).where(person.c.id == person_id))
