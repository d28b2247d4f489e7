"""The known people as one snapshot, and the number that changes with it."""

from sqlalchemy import Connection, insert, select, update

from agent.adapters.store.schema import embedding, identity, meta
from agent.domain.people import Certainty, Gallery, Reference

_VERSION = "gallery_version"


def read(tx: Connection, embedder: str) -> Gallery:
    rows = tx.execute(
        select(identity.c.person_id, embedding.c.vector)
        .join(embedding, embedding.c.face_id == identity.c.face_id)
        .where(identity.c.certainty == Certainty.CONFIRMED, embedding.c.embedder == embedder)
        .order_by(identity.c.face_id)
    )
    version = tx.scalar(select(meta.c.value).where(meta.c.name == _VERSION)) or 0
    return Gallery(version, embedder, tuple(Reference(row.person_id, row.vector) for row in rows))


def changed(tx: Connection) -> None:
    """Give the gallery a new version: its references may be others now."""
    if not tx.execute(update(meta).where(meta.c.name == _VERSION).values(value=meta.c.value + 1)).rowcount:
        tx.execute(insert(meta).values(name=_VERSION, value=1))
