"""Forgets a person: deletes their data everywhere in the library, permanently."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from agent.domain.edits import ForgottenPerson
from agent.domain.errors import PersonUnknown
from agent.features.people.queries import albums_of_people, reference_queries, team_people_queries, team_replies
from agent.infrastructure.core.access_scope import acting_libraries
from agent.infrastructure.store import audit_libraries, undo_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import set_flag
from agent.infrastructure.store.schema import (
    adopted,
    chip,
    consent,
    consent_link,
    embedding,
    grouping,
    identity,
    ignored,
    person,
    undo,
    unseen,
)

REASON = "forgotten"


class ForgetQueries(Queries):
    def people_by_uids(self, uids: Iterable[str]) -> list[int]:
        """Return the people with these random ids."""
        with self.database.read() as tx:
            return list(tx.scalars(select(person.c.id).where(person.c.uid.in_(list(uids)))))


def forget(tx: Connection, person_id: int, now: datetime, *, note: str) -> ForgottenPerson:
    """Return the deleted data: of the person, and of the people merged into them. Raises PersonUnknown.

    Their faces stay as ignored boxes. `note` stays until the backups are clean, too.
    """
    people, uids = meant(tx, person_id)
    faces = tx.scalars(select(identity.c.face_id).where(identity.c.person_id.in_(people))).all()
    groups, embeddings, chips = audit_libraries.of_faces_of(tx, people), 0, 0
    for chunk in chunks(faces):
        embeddings += tx.execute(delete(embedding).where(embedding.c.face_id.in_(chunk))).rowcount
        chips += tx.execute(delete(chip).where(chip.c.face_id.in_(chunk))).rowcount
        for table in (identity, grouping, ignored, adopted, unseen):
            tx.execute(delete(table).where(table.c.face_id.in_(chunk)))
        tx.execute(insert(ignored), [{"face_id": face_id, "reason": REASON, "at": now} for face_id in chunk])
    team_people_queries.forget(tx, people)
    team_replies.forget(tx, uids)
    albums_of_people.forget(tx, people)
    steps = undo_log.erase(tx, people)
    reference_queries.sweep(tx)
    reference_queries.drop_undo(tx)  # also of references that became theirs later
    tx.execute(delete(person).where(person.c.id.in_(people)))
    for table in (consent, consent_link):
        tx.execute(delete(table).where(table.c.person_uid.in_(uids)))
    for uid in uids:
        audit_libraries.add_for_each(tx, "forgotten", uid, groups, len(faces), now, otherwise=acting_libraries())
    set_flag(tx, note)
    return ForgottenPerson(len(faces), embeddings, chips, steps)


def meant(tx: Connection, person_id: int) -> tuple[list[int], list[str]]:
    """Return ids and random ids of the person, and of people merged into them, as far as that could be undone. Raises PersonUnknown."""
    if tx.scalar(select(person.c.id).where(person.c.id == person_id)) is None:
        raise PersonUnknown
    found, new = {person_id}, {person_id}
    uids = set(tx.scalars(select(person.c.uid).where(person.c.id == person_id, person.c.uid.is_not(None))))
    while new:
        merges = tx.execute(select(undo.c.changes).where(undo.c.action == "merge", undo.c.undone_at.is_(None), undo.c.person_id.in_(new)))
        gone = [change for (changes,) in merges for change in changes if change["fact"] == "person"]
        uids |= {change["before"]["uid"] for change in gone}
        new = {key for change in gone for key in change["keys"]} - found
        found |= new
    return sorted(found), sorted(uids)
