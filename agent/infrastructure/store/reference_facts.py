"""References without photos as facts, so that adding and removing one can be undone: a key stands for the photo.

The value holds the face print and the picture of the face. Steps with it are dropped with the reason for which a reference may be kept,
and after a day: see `agent.features.people.queries.reference_queries`.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from agent.domain import reference_path
from agent.domain.identity_matching import Certainty
from agent.domain.reference import fit_of
from agent.infrastructure.store.fact_values import FactKind, Value, existing, instant, moment
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED, add, set_flag
from agent.infrastructure.store.schema import chip, embedding, face, identity, image, person, place, undo

REFERENCE: Final = "reference"
ADDED: Final = "reference_added"
REMOVED: Final = "reference_removed"
"""what such steps, and the entries of the record, are called"""
_OF_IMAGE: Final = ("detector", "embedder", "precision")
_OF_FACE: Final = ("score", "size", "sharpness", "yaw", "roll", "covered")
_NO_TIMES: Final = dict.fromkeys(("ms_decode", "ms_detect", "ms_align", "ms_embed"), 0.0)


def put(tx: Connection, key: str, value: dict[str, Any]) -> int:
    """Add a reference: an image without a file, and its face. Return the face, which keeps the number it had before."""
    at, picture = instant(value["at"]), base64.b64decode(value["chip"])
    of_image = {
        "sha256": key,
        "size": len(picture),
        "width": reference_path.SIDE,
        "height": reference_path.SIDE,
        "format": "jpeg",
        **{name: value[name] for name in _OF_IMAGE},
        **_NO_TIMES,
        "indexed_at": at,
        "taken_at": at.astimezone().replace(tzinfo=None),
        "face_count": 1,
        "hidden_at": at,
    }
    image_id = add(tx, image, of_image)
    of_place = {"source": reference_path.SOURCE, "path": reference_path.path_of(key), "size": 0, "mtime_ns": 0}
    add(tx, place, of_place | {"image_id": image_id, "noted_at": at, "library_id": value["library"]})
    box = reference_path.FACE
    of_face = {
        "image_id": image_id,
        "ordinal": 0,
        **{"x": box.x, "y": box.y, "w": box.w, "h": box.h},
        "landmarks": [list(point) for point in reference_path.LANDMARKS],
        **{name: value[name] for name in _OF_FACE},
    }
    face_id = add(tx, face, of_face | ({"id": value["face"]} if value.get("face") else {}))
    vector = base64.b64decode(value["vector"])
    tx.execute(insert(embedding).values(face_id=face_id, embedder=value["embedder"], vector=vector))
    tx.execute(insert(chip).values(face_id=face_id, jpeg=picture))
    confirmed = {"certainty": Certainty.CONFIRMED, "distance": 0.0, "agree": 0, "refs": 0, "confirmed_at": at}
    of_identity = {"face_id": face_id, "person_id": value["person"], "image_id": image_id, "fit": fit_of(value["size"], value["sharpness"])}
    tx.execute(insert(identity).values(of_identity | confirmed))
    return face_id


def leave_library(tx: Connection, library_id: int) -> None:
    """Take the references out of a library that is deleted, and forget the steps that could bring one back into it."""
    its = (place.c.source == reference_path.SOURCE, place.c.library_id == library_id)
    tx.execute(update(place).where(*its).values(library_id=None))
    held = tx.execute(select(undo.c.id, undo.c.changes).where(undo.c.action.in_((ADDED, REMOVED)))).all()
    if steps := [row.id for row in held if any(_library(change) == library_id for change in row.changes)]:
        tx.execute(delete(undo).where(undo.c.id.in_(steps)))
        set_flag(tx, BACKUPS_HOLD_PURGED)  # the print of one that was removed


def _library(change: Mapping[str, Any]) -> int | None:
    """Return the library of the reference that a step changed."""
    value: Value = (change["before"] or change["after"]) if change["fact"] == REFERENCE else None
    return value["library"] if value is not None else None


def _read(tx: Connection, keys: Sequence[str]) -> dict[str, Value]:
    columns = [*(image.c[name] for name in _OF_IMAGE), *(face.c[name] for name in _OF_FACE)]
    held = select(image.c.sha256, image.c.indexed_at, place.c.library_id, face.c.id, identity.c.person_id, embedding.c.vector, chip.c.jpeg)
    held = held.add_columns(*columns).select_from(image).join(place, place.c.image_id == image.c.id).join(face)
    held = held.join(identity, identity.c.face_id == face.c.id).join(embedding, embedding.c.face_id == face.c.id).join(chip)
    held = held.where(image.c.sha256.in_(keys), place.c.source == reference_path.SOURCE, identity.c.certainty == Certainty.CONFIRMED)
    return {
        row["sha256"]: {
            "person": row["person_id"],
            "face": row["id"],
            "library": row["library_id"],
            "at": moment(row["indexed_at"]),
            "vector": base64.b64encode(row["vector"]).decode("ascii"),
            "chip": base64.b64encode(row["jpeg"]).decode("ascii"),
            **{name: row[name] for name in (*_OF_IMAGE, *_OF_FACE)},
        }
        for row in tx.execute(held).mappings()
    }


def _write(tx: Connection, keys: Sequence[str], value: Value) -> None:
    held = tx.scalars(select(place.c.image_id).where(place.c.path.in_([reference_path.path_of(key) for key in keys]))).all()
    if value is None:
        tx.execute(delete(place).where(place.c.image_id.in_(held)))
        tx.execute(delete(image).where(image.c.id.in_(held)))
    elif not held and existing(tx, person, [value["person"]]):
        for key in keys:
            put(tx, key, value)


# reference: the photo's key -> whose it is, its face, face print and picture
REFERENCE_KINDS = {REFERENCE: FactKind(_read, _write)}
