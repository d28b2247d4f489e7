"""Deletes photos that no place is left of."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, exists, select

from agent.domain.edits import EditStep
from agent.domain.events import PeopleChanged, Recorded
from agent.people.naming import IN_DOUBT
from agent.store import event_rows
from agent.store.rows import take_note
from agent.store.schema import face, identity, image, place


def without_place(tx: Connection, images: Collection[int], now: datetime) -> tuple[EditStep, list[Recorded]]:
    """Delete those of these images that no place is left of, with their faces. `images` are those that lost one."""
    unplaced = ~exists().where(place.c.image_id == image.c.id)
    gone = tx.scalars(select(image.c.id).where(image.c.id.in_(list(images)), unplaced)).all()
    faces = frozenset(tx.scalars(select(face.c.id).where(face.c.image_id.in_(gone))))
    # What was recognised by their prints is to be identified again.
    people = frozenset(tx.scalars(select(identity.c.person_id).where(identity.c.face_id.in_(faces))))
    tx.execute(delete(image).where(image.c.id.in_(gone)))
    take_note(tx, IN_DOUBT)
    return EditStep("describe", len(images), faces, people), [event_rows.record(tx, PeopleChanged(action="desk"), now)]
