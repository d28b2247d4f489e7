"""References from photos that are not kept: an image without a file, which holds a person's face, and is hidden from the photos' page.

They are the person's as any confirmed face is, so all that names, recognises, withdraws and forgets holds for them, too. A face that is
no reference any more is of no use without its photo: `sweep` deletes it, in the transaction that took its name or its print.
"""

import base64
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, select

from agent.domain import reference_path
from agent.domain.face import Face
from agent.domain.identity_matching import Certainty
from agent.features.library.recipes import EMBEDDER
from agent.infrastructure.store import reference_facts
from agent.infrastructure.store.fact_values import moment
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.reference_facts import ADDED, REMOVED
from agent.infrastructure.store.schema import embedding, face, identity, image, place, undo


@dataclass(frozen=True, slots=True)
class NewReference:
    """The one face of a photo."""

    key: str
    """stands for the photo, see `agent.domain.reference_path`"""
    face: Face
    """with its print and its picture"""
    detector: str
    precision: str


def is_reference() -> ColumnElement[bool]:
    """Whether an image is a reference without a photo."""
    return exists().where(place.c.image_id == image.c.id, of_references())


def person_of(tx: Connection, key: str) -> int | None:
    """Return the person of this reference; None if there is no such reference."""
    held = select(identity.c.person_id).join_from(image, face).join(identity, identity.c.face_id == face.c.id)
    return tx.scalar(held.where(image.c.sha256 == key))


def counted(of: ColumnElement[bool]) -> Select[int, int]:
    """Select how many references the people `of` a condition on identities have, by person. Reads no other faces than references'."""
    held = select(identity.c.person_id, func.count().label("held")).select_from(place).join(face, face.c.image_id == place.c.image_id)
    held = held.join(identity, identity.c.face_id == face.c.id).where(of_references(), of)
    return held.group_by(identity.c.person_id)


def put(tx: Connection, person_id: int, new: NewReference, library_id: int | None, now: datetime) -> int:
    """Add a person's reference. Return its face."""
    quality = new.face.quality
    value = {
        "person": person_id,
        "library": library_id,
        "at": moment(now),
        "detector": new.detector,
        "embedder": EMBEDDER,
        "precision": new.precision,
        "score": new.face.score,
        **{name: getattr(quality, name) for name in ("size", "sharpness", "yaw", "roll", "covered")},
        "vector": base64.b64encode(new.face.embedding or b"").decode("ascii"),
        "chip": base64.b64encode(new.face.chip or b"").decode("ascii"),
    }
    return reference_facts.put(tx, new.key, value)


def key_of(tx: Connection, person_id: int, face_id: int) -> str | None:
    """Return what stands for the photo of a person's reference; None if the face is none."""
    theirs = select(image.c.sha256).join(face, face.c.image_id == image.c.id).join(identity, identity.c.face_id == face.c.id)
    return tx.scalar(theirs.where(face.c.id == face_id, identity.c.person_id == person_id, is_reference()))


def drop_undo(tx: Connection, before: datetime | None = None) -> int:
    """Forget how references were added and removed, or only what was done before then: such steps hold face prints.

    Return how many face prints no one can bring back any more.
    """
    steps = undo.c.action.in_((ADDED, REMOVED)) if before is None else and_(undo.c.action.in_((ADDED, REMOVED)), undo.c.at < before)
    removed = (undo.c.action == REMOVED) == undo.c.undone_at.is_(None)
    gone = tx.scalar(select(func.count()).select_from(undo).where(steps, removed)) or 0
    tx.execute(delete(undo).where(steps))
    return gone


def sweep(tx: Connection) -> int:
    """Delete those that are no one's reference any more, or have lost their print. Return the number of prints deleted with them."""
    theirs = exists().where(face.c.image_id == place.c.image_id, face.c.id == identity.c.face_id, face.c.id == embedding.c.face_id)
    held = theirs.where(identity.c.certainty == Certainty.CONFIRMED).correlate(place)
    rows = tx.execute(select(place.c.id, place.c.image_id).where(of_references(), ~held)).all()
    prints = 0
    for chunk in chunks([row.image_id for row in rows]):
        faces = select(face.c.id).where(face.c.image_id.in_(chunk))
        prints += tx.execute(delete(embedding).where(embedding.c.face_id.in_(faces))).rowcount
        tx.execute(delete(place).where(place.c.id.in_([row.id for row in rows if row.image_id in chunk])))
        tx.execute(delete(image).where(image.c.id.in_(chunk)))
    return prints


def of_references() -> ColumnElement[bool]:
    """Whether a place is that of a reference without a photo."""
    # By the index of paths: there is none of sources.
    return place.c.path.between(reference_path.PREFIX, reference_path.PREFIX[:-1] + ";")
