"""In a server's database names, notes, birth dates, consents' documents, steps to undo, pictures of faces and embeddings are encrypted."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import sqlalchemy as sa
from alembic import op

from agent.infrastructure.store.column_encryption import ColumnCipher, seals_of

revision = "0018"
down_revision = "0017"
kind = "contract"

_AT_ONCE = 1_000

# Table, its key, and its columns by how they are encrypted: as names, texts or faces, each with its purpose.
_NAMES = (("person", "id", "name", "person"), ("member", "id", "name", "member"))
_TEXTS = (
    ("person", "id", "notes", "notes"),
    ("person", "id", "birth_date", "birth_date"),
    ("consent", "id", "guardian", "guardian"),
    ("consent", "id", "document", "document"),
    ("member", "id", "display_name", "display_name"),
    ("adopted", "face_id", "said", "adopted"),
)
_FACES = (("embedding", "face_id", "vector", "embedding"), ("chip", "face_id", "jpeg", "chip"))


def upgrade() -> None:
    tx = op.get_bind()
    seals = seals_of(tx.dialect)
    if seals is None:
        return
    with op.batch_alter_table("person") as person:
        person.alter_column("birth_date", type_=sa.String, existing_type=sa.Date, postgresql_using="CAST(birth_date AS VARCHAR)")
    with op.batch_alter_table("adopted") as adopted:
        adopted.alter_column("said", type_=sa.String, existing_type=sa.String(16), existing_nullable=False)
    for table, key, column, purpose in _NAMES:
        _each(tx, sa.table(table, sa.column(key), sa.column(column, sa.String)), partial(seals.name, purpose=purpose))
    for table, key, column, purpose in _TEXTS:
        _each(tx, sa.table(table, sa.column(key), sa.column(column, sa.String)), partial(seals.text, purpose=purpose))
    for table, key, column, purpose in _FACES:
        _each(tx, sa.table(table, sa.column(key), sa.column(column, sa.LargeBinary)), partial(seals.face, purpose=purpose))
    _each(tx, sa.table("undo", sa.column("id"), sa.column("changes", sa.JSON)), partial(_json, seals))


def _json(seals: ColumnCipher, value: object) -> str:
    return seals.text(json.dumps(value), "changes")


def _each(tx: sa.Connection, table: sa.TableClause, sealed: Callable[[Any], str | bytes]) -> None:
    """Encrypt a table's second column, some rows at a time, in the order of the first."""
    key, column = table.c
    last = None
    while True:
        rows = sa.select(key, column).where(column.is_not(None)).order_by(key).limit(_AT_ONCE)
        found = tx.execute(rows if last is None else rows.where(key > last)).all()
        if not found:
            return
        where = key == sa.bindparam("which")
        values = [{"which": which, "what": sealed(value)} for which, value in found]
        tx.execute(sa.update(table).where(where).values({column.name: sa.bindparam("what", type_=column.type)}), values)
        last = found[-1][0]
