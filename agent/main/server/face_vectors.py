"""Puts a server's search by faces together."""

from agent.people.vectors.service import KEY, FaceVectors
from agent.people.vectors.turning import Turning
from agent.people.vectors.vector_index import VectorIndex
from agent.people.vectors.vector_rows import VectorQueries
from agent.store.database import Database


def face_vectors(database: Database, url: str) -> FaceVectors:
    """`url` is the database's in SQLAlchemy's form. Blocks. Raises StoreError."""
    rows = VectorQueries(database)
    rows.prepare()
    return FaceVectors(rows, Turning(database.key_for(KEY)), VectorIndex(url))
