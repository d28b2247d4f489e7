"""References of people who agreed to recognition, in the encrypted library: each method is one transaction."""

from datetime import datetime

from sqlalchemy import Connection, select

from agent.domain.consent import Purpose
from agent.domain.edits import EditStep
from agent.domain.errors import PersonUnknown, ReferenceTaken, ReferenceWithoutConsent
from agent.domain.events import PeopleChanged, Recorded
from agent.library.queries import identity_rows
from agent.people.queries import consent_rows, reference_rows
from agent.people.queries.people_queries import PeopleQueries
from agent.people.queries.reference_rows import NewReference
from agent.store import audit_libraries, event_rows
from agent.store.rows import take_note
from agent.store.schema import person


class ReferenceQueries(PeopleQueries):
    def has_reference(self, person_id: int, key: str, *, now: datetime) -> bool:
        """Return whether the photo is this person's reference already. Raises PersonUnknown, ReferenceWithoutConsent, ReferenceTaken."""
        with self.database.read() as tx:
            return _held(tx, person_id, key, now)

    def add_reference(
        self, person_id: int, new: NewReference, library_id: int | None, *, now: datetime, note: str
    ) -> tuple[EditStep, list[Recorded]]:
        """Add a reference, unless it is there. Raises as `has_reference`; consent may have ended while the photo was analysed."""
        with self.database.write(durable=True) as tx:
            if _held(tx, person_id, new.key, now):
                return EditStep("name", 0, person_id=person_id), []
            face_id = reference_rows.put(tx, person_id, new, library_id, now)
            uid = tx.scalar(select(person.c.uid).where(person.c.id == person_id))
            audit_libraries.add_of_faces(tx, "reference_added", uid, [face_id], now)
            take_note(tx, note)
            step = EditStep("name", 1, frozenset({face_id}), frozenset({person_id}), person_id=person_id)
            return step, [event_rows.record(tx, PeopleChanged(action="name"), now)]


def _held(tx: Connection, person_id: int, key: str, now: datetime) -> bool:
    if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise PersonUnknown
    if person_id not in consent_rows.agreed(tx, Purpose.RECOGNISE, now) - identity_rows.never_recognised(tx):
        raise ReferenceWithoutConsent
    whose = reference_rows.person_of(tx, key)
    if whose is not None and whose != person_id:
        raise ReferenceTaken
    return whose is not None
