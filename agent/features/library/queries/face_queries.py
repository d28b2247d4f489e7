"""The faces of an image: replaced by a new analysis with their names preserved, and read with their identities."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from agent.domain.face import Box, Face, Quality
from agent.domain.identity_matching import Identity
from agent.domain.reference import fit_of
from agent.features.library.queries import identity_queries
from agent.features.library.records import StoredFace
from agent.infrastructure.store.dialects.functions import in_bound_numbers, number_list
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import chip, embedding, face, identity, ignored, image, person

_IDENTITY = (identity.c.person_id, identity.c.certainty, identity.c.distance, identity.c.agree, identity.c.refs)
_OF_IMAGES = (
    select(face, *_IDENTITY, person.c.name, ignored.c.reason)
    .outerjoin(identity, identity.c.face_id == face.c.id)
    .outerjoin(person, person.c.id == identity.c.person_id)
    .outerjoin(ignored, ignored.c.face_id == face.c.id)
    .where(face.c.image_id.in_(in_bound_numbers("images")))
    .order_by(face.c.image_id, face.c.ordinal)
)
_SAME_FACE = 0.5  # minimum intersection over union of the old box and the new one


def replace(tx: Connection, image_id: int, found: Sequence[Face], embedder: str | None) -> list[int]:
    """Write the faces of an image; return their ids in order. A face at the position of an old one keeps its id, and with it its name.

    Without `embedder` recognition is off: embeddings and chips are not stored, even if given.
    """
    boxes = tx.execute(select(face.c.id, face.c.x, face.c.y, face.c.w, face.c.h).where(face.c.image_id == image_id))
    old = {row.id: Box(row.x, row.y, row.w, row.h) for row in boxes}
    kept = _same(old, found)
    silent = identity_queries.without_embedding(tx, kept.values())
    if old:
        tx.execute(delete(face).where(face.c.image_id == image_id, face.c.id.not_in(kept.values())))
        tx.execute(delete(embedding).where(embedding.c.face_id.in_(kept.values())))
        tx.execute(delete(chip).where(chip.c.face_id.in_(kept.values())))
        # Move the old numbers away, because they are unique too.
        tx.execute(update(face).where(face.c.image_id == image_id).values(ordinal=-face.c.id))
    face_ids: list[int] = []
    for ordinal, each in enumerate(found):
        values = _values(each) | {"image_id": image_id, "ordinal": ordinal}
        face_id = kept.get(ordinal)
        if face_id is None:
            face_id = add(tx, face, values)
        else:
            tx.execute(update(face).where(face.c.id == face_id).values(values))
            fit = fit_of(each.quality.size, each.quality.sharpness)
            tx.execute(update(identity).where(identity.c.face_id == face_id, identity.c.fit.is_not(None)).values(fit=fit))
        face_ids.append(face_id)
        if embedder is None or face_id in silent:
            continue
        if each.embedding is not None:
            tx.execute(insert(embedding).values(face_id=face_id, embedder=embedder, vector=each.embedding))
        if each.chip is not None:
            tx.execute(insert(chip).values(face_id=face_id, jpeg=each.chip))
    return face_ids


def at(tx: Connection, sha256: str, box: Box) -> int | None:
    """Return the face at that position of the image with that content."""
    rows = tx.execute(select(face.c.id, face.c.x, face.c.y, face.c.w, face.c.h).join(image).where(image.c.sha256 == sha256))
    found = max(((box.iou(Box(*rest)), face_id) for face_id, *rest in rows), default=None)
    return None if found is None or found[0] <= _SAME_FACE else found[1]


def of_images(tx: Connection, image_ids: Sequence[int]) -> dict[int, list[StoredFace]]:
    """Return faces by image id, in order of detection."""
    faces: dict[int, list[StoredFace]] = {image_id: [] for image_id in image_ids}
    for row in tx.execute(_OF_IMAGES, {"images": number_list(image_ids)}).mappings().all():
        faces[row["image_id"]].append(StoredFace(row["id"], read(row), _identity(row), row["name"], row["reason"] is not None))
    return faces


def read(row: RowMapping) -> Face:
    """Return a face without embedding and chip."""
    left_eye, right_eye, nose, left_mouth, right_mouth = ((x, y) for x, y in row["landmarks"])
    return Face(
        box=Box(row["x"], row["y"], row["w"], row["h"]),
        score=row["score"],
        landmarks=(left_eye, right_eye, nose, left_mouth, right_mouth),
        quality=Quality(row["size"], row["sharpness"], row["yaw"], row["roll"], row["covered"]),
    )


def _values(each: Face) -> dict[str, object]:
    box, quality = each.box, each.quality
    return {
        "x": box.x,
        "y": box.y,
        "w": box.w,
        "h": box.h,
        "score": each.score,
        "landmarks": [list(point) for point in each.landmarks],
        "size": quality.size,
        "sharpness": quality.sharpness,
        "yaw": quality.yaw,
        "roll": quality.roll,
        "covered": quality.covered,
    }


def _identity(row: RowMapping) -> Identity | None:
    return None if row["person_id"] is None else identity_queries.identity_of(row)


def _same(old: dict[int, Box], found: Sequence[Face]) -> dict[int, int]:
    """Match detected faces (by index in `found`) to old ones (by id): best overlaps first, each used once."""
    overlaps = sorted(
        ((each.box.iou(box), ordinal, face_id) for ordinal, each in enumerate(found) for face_id, box in old.items()), reverse=True
    )
    kept: dict[int, int] = {}
    for overlap, ordinal, face_id in overlaps:
        if overlap <= _SAME_FACE:
            break
        if ordinal not in kept and face_id not in kept.values():
            kept[ordinal] = face_id
    return kept
