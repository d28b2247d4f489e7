"""References from photos that are not kept: an image without a file, which holds a person's face, and is hidden from the photos' page.

They are the person's as any confirmed face is, so all that names, recognises, withdraws and forgets holds for them, too. A face that is
no reference any more is of no use without its photo: `sweep` deletes it, in the transaction that took its name or its print.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, insert, select

from agent.domain import reference_path
from agent.domain.face import Face
from agent.domain.people import Certainty
from agent.domain.reference import fit_of
from agent.library.recipes import EMBEDDER
from agent.store.facts import chunks
from agent.store.rows import add
from agent.store.schema import chip, embedding, face, identity, image, place


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
    return exists().where(place.c.image_id == image.c.id, _of_references())


def person_of(tx: Connection, key: str) -> int | None:
    """Return the person of this reference; None if there is no such reference."""
    held = select(identity.c.person_id).join_from(image, face).join(identity, identity.c.face_id == face.c.id)
    return tx.scalar(held.where(image.c.sha256 == key))


def counted(of: ColumnElement[bool]) -> Select[int, int]:
    """Select how many references the people `of` a condition on identities have, by person. Reads no other faces than references'."""
    held = select(identity.c.person_id, func.count().label("held")).select_from(place).join(face, face.c.image_id == place.c.image_id)
    held = held.join(identity, identity.c.face_id == face.c.id).where(_of_references(), of)
    return held.group_by(identity.c.person_id)


def put(tx: Connection, person_id: int, new: NewReference, library_id: int | None, now: datetime) -> int:
    """Add a person's reference. Return its face."""
    picture, quality = new.face.chip or b"", new.face.quality
    of_image = {
        "sha256": new.key,
        "size": len(picture),
        "width": reference_path.SIDE,
        "height": reference_path.SIDE,
        "format": "jpeg",
        "detector": new.detector,
        "embedder": EMBEDDER,
        "precision": new.precision,
        **dict.fromkeys(("ms_decode", "ms_detect", "ms_align", "ms_embed"), 0.0),
        "indexed_at": now,
        "taken_at": now.astimezone().replace(tzinfo=None),
        "face_count": 1,
        "hidden_at": now,
    }
    image_id = add(tx, image, of_image)
    of_place = {"source": reference_path.SOURCE, "path": reference_path.path_of(new.key), "size": 0, "mtime_ns": 0}
    add(tx, place, of_place | {"image_id": image_id, "noted_at": now, "library_id": library_id})
    box = reference_path.FACE
    of_face = {
        "image_id": image_id,
        "ordinal": 0,
        **{"x": box.x, "y": box.y, "w": box.w, "h": box.h},
        "score": new.face.score,
        "landmarks": [list(point) for point in reference_path.LANDMARKS],
        **{name: getattr(quality, name) for name in ("size", "sharpness", "yaw", "roll", "covered")},
    }
    face_id = add(tx, face, of_face)
    tx.execute(insert(embedding).values(face_id=face_id, embedder=EMBEDDER, vector=new.face.embedding))
    tx.execute(insert(chip).values(face_id=face_id, jpeg=picture))
    confirmed = {"certainty": Certainty.CONFIRMED, "distance": 0.0, "agree": 0, "refs": 0, "confirmed_at": now}
    of_identity = {"face_id": face_id, "person_id": person_id, "image_id": image_id, "fit": fit_of(quality.size, quality.sharpness)}
    tx.execute(insert(identity).values(of_identity | confirmed))
    return face_id


def sweep(tx: Connection) -> int:
    """Delete those that are no one's reference any more, or have lost their print. Return the number of prints deleted with them."""
    theirs = exists().where(face.c.image_id == place.c.image_id, face.c.id == identity.c.face_id, face.c.id == embedding.c.face_id)
    held = theirs.where(identity.c.certainty == Certainty.CONFIRMED).correlate(place)
    rows = tx.execute(select(place.c.id, place.c.image_id).where(_of_references(), ~held)).all()
    prints = 0
    for chunk in chunks([row.image_id for row in rows]):
        faces = select(face.c.id).where(face.c.image_id.in_(chunk))
        prints += tx.execute(delete(embedding).where(embedding.c.face_id.in_(faces))).rowcount
        tx.execute(delete(place).where(place.c.id.in_([row.id for row in rows if row.image_id in chunk])))
        tx.execute(delete(image).where(image.c.id.in_(chunk)))
    return prints


def _of_references() -> ColumnElement[bool]:
    # By the index of paths: there is none of sources.
    return place.c.path.between(reference_path.PREFIX, reference_path.PREFIX[:-1] + ";")
