"""Imported names of other programs: remembered apart from the steps, so that an undo leaves them."""

import hashlib
from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from agent.domain.edits import ImportNamesEdit
from agent.domain.regions import spelling
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import adopted


class AdoptedQueries(Queries):
    def faces_adopted(self, within: Collection[int]) -> set[int]:
        """Return those of these faces that have an imported name."""
        with self.database.read() as tx:
            return set(_before(tx, within))


def news(tx: Connection, wish: ImportNamesEdit) -> dict[int, str]:
    """Return face -> name, if it differs from the earlier import; forget withdrawn ones."""
    for chunk in chunks(wish.unsaid):
        tx.execute(delete(adopted).where(adopted.c.face_id.in_(chunk)))
    before = _before(tx, [face_id for face_id, _ in wish.names])
    return {face_id: name for face_id, name in wish.names if before.get(face_id) != _digest(face_id, name)}


def remember(tx: Connection, face_id: int, name: str) -> None:
    """Record an imported name."""
    tx.execute(delete(adopted).where(adopted.c.face_id == face_id))
    tx.execute(insert(adopted).values(face_id=face_id, said=_digest(face_id, name)))


def _before(tx: Connection, faces: Collection[int]) -> dict[int, str]:
    found = select(adopted.c.face_id, adopted.c.said)
    return {row.face_id: row.said for chunk in chunks(list(faces)) for row in tx.execute(found.where(adopted.c.face_id.in_(chunk)))}


def _digest(face_id: int, name: str) -> str:
    """Return a digest instead of the name: it stays when people of that name are forgotten."""
    return hashlib.sha256(f"{face_id} {spelling(name)}".encode()).hexdigest()[:16]
