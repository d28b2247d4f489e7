"""People who are never recognised: one print is kept to exclude them, no others, and no suggestions. Without consent, none is kept."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, select

from agent.domain.identity_matching import Certainty
from agent.features.library.queries import action_queries, identity_queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import chip, embedding, face, identity, image, person


def begin(tx: Connection, person_id: int) -> int:
    """Delete all prints of a person except their largest face's, and their suggested faces. Return the number of deleted prints.

    Without consent to recognition, no print is kept, not even to exclude them.
    """
    theirs = select(identity.c.face_id).where(identity.c.person_id == person_id)
    largest = (
        select(face.c.id)
        .join_from(face, embedding, embedding.c.face_id == face.c.id)
        .where(face.c.id.in_(theirs.where(identity.c.certainty == Certainty.CONFIRMED)))
    )
    lapsed = tx.scalar(select(person.c.lapsed_at).where(person.c.id == person_id)) is not None
    kept = None if lapsed else tx.scalar(largest.order_by(face.c.size.desc(), face.c.id).limit(1))
    gone = sum(
        tx.execute(delete(table).where(table.c.face_id.in_(theirs), table.c.face_id != (kept or 0))).rowcount for table in (embedding, chip)
    )
    tx.execute(delete(identity).where(identity.c.person_id == person_id, identity.c.certainty != Certainty.CONFIRMED))
    return gone


def keep_one(tx: Connection, person_id: int, fresh: Collection[int]) -> int:
    """Apply "never recognise" to faces that became theirs: delete those prints, unless they are the only one.

    Returns the number of deleted prints.
    """
    theirs = select(identity.c.face_id).where(identity.c.person_id == person_id, identity.c.certainty == Certainty.CONFIRMED)
    known_by = set(tx.scalars(theirs.join(embedding, embedding.c.face_id == identity.c.face_id)))
    if not known_by - set(fresh):
        return begin(tx, person_id)
    return sum(
        tx.execute(delete(table).where(table.c.face_id.in_(chunk))).rowcount
        for chunk in chunks(sorted(known_by & set(fresh)))
        for table in (embedding, chip)
    )


def let_go(tx: Connection, faces: Collection[int], now: datetime) -> None:
    """Scan the photos of faces again that are no longer theirs and have no print for that reason."""
    images: set[int] = set()
    for chunk in chunks(sorted(faces)):
        without = select(face.c.id, face.c.image_id).join(image).outerjoin(embedding, embedding.c.face_id == face.c.id)
        rows = tx.execute(without.where(face.c.id.in_(chunk), embedding.c.face_id.is_(None), image.c.embedder.is_not(None))).all()
        kept = identity_queries.without_embedding(tx, [row.id for row in rows])
        images |= {row.image_id for row in rows if row.id not in kept}
    action_queries.rescan(tx, sorted(images), now)


def end(tx: Connection, person_id: int, now: datetime) -> None:
    """Scan their photos again, to restore their prints."""
    theirs = select(face.c.image_id).join(identity).where(identity.c.person_id == person_id)
    action_queries.rescan(tx, tx.scalars(theirs.distinct()).all(), now)
