"""The embeddings that a library holds, read from its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from agent.features.library.queries import face_queries
from agent.infrastructure.store.schema import embedding, face

if TYPE_CHECKING:
    from agent.domain.face import Face
    from agent.infrastructure.store.database import Queries


def image_embeddings(library: Queries, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]:
    """By face: its id, its embedding and the face itself, in the order of the image."""
    wanted = select(face, embedding.c.vector).join(embedding).where(face.c.image_id == image_id, embedding.c.embedder == embedder)
    with library.database.read() as tx:
        rows = tx.execute(wanted.order_by(face.c.ordinal)).mappings()
        return [(row["id"], row["vector"], face_queries.read(row)) for row in rows]
