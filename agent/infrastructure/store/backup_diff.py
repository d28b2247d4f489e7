"""What a library holds and a backup of it doesn't: a restore loses that."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, inspect, select

from agent.domain.errors import StoreError
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import face, identity, image, person, redaction, redaction_item, undo

_PHOTOS = select(image.c.sha256)
_PEOPLE = select(person.c.name)
_FACES = (
    select(image.c.sha256, face.c.ordinal, person.c.name)
    .join_from(identity, face)
    .join(image)
    .join(person)
    .where(identity.c.certainty == "confirmed")
)
_COPIES = (
    select(redaction.c.uid, redaction_item.c.source).join_from(redaction_item, redaction).where(redaction_item.c.copy_sha256.is_not(None))
)


@dataclass(frozen=True, slots=True)
class RestoreLoss:
    """Counts and names of what only the library holds."""

    photos: int = 0
    people: tuple[str, ...] = ()  # their names, sorted
    faces: int = 0  # confirmed as a person
    copies: int = 0  # records of covered copies; the files are no part of the library


def restore_loss(library: Database, backup: Database) -> RestoreLoss:
    """Compare by content and name: after an earlier restore, ids of the two may mean different rows. Raises StoreError."""
    with library.read() as now, backup.read() as before:
        photos, people, faces, copies = (_rows(now, query) - _rows(before, query) for query in (_PHOTOS, _PEOPLE, _FACES, _COPIES))
    return RestoreLoss(len(photos), tuple(sorted(name for (name,) in people)), len(faces), len(copies))


def newer(library: Database, backup: Database) -> tuple[int, int] | None:
    """Return the numbers of photos and edits that only the library has; None if its damage hides them.

    Ids are never reused, and the newest rows lie at a table's end.
    """
    try:
        with backup.read() as before, library.read() as tx:
            last = [before.scalar(select(func.max(each.c.id))) or 0 for each in (image, undo)]
            photos, edits = (
                tx.scalar(select(func.count()).select_from(each).where(each.c.id > known)) or 0
                for each, known in zip((image, undo), last, strict=True)
            )
            return photos, edits
    except StoreError:
        return None


def _rows(tx: Connection, query: Select[Any]) -> set[tuple[Any, ...]]:
    """An older version's backup may lack a table: then it holds none of these rows."""
    there = set(inspect(tx).get_table_names())
    if any(column.table.name not in there for column in query.selected_columns):
        return set()
    return {tuple(row) for row in tx.execute(query)}
