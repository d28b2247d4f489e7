"""Inserts rows with a number chosen by the database, and takes notes."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, Table, delete, insert, select

from agent.infrastructure.store.schema import meta

BACKUPS_HOLD_PURGED: Final = "backups_hold_purged"
"""the note that prints were deleted which backups may still hold: made in their transaction, so that the next start replaces the backups"""


def add(tx: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert one row; returns its id."""
    key = tx.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def set_flag(tx: Connection, name: str) -> None:
    """Set a note until it is cleared: a growing number, so that clearing an older note does not clear a newer one."""
    before = tx.scalar(select(meta.c.value).where(meta.c.name == name)) or 0
    tx.execute(delete(meta).where(meta.c.name == name))
    tx.execute(insert(meta).values(name=name, value=before + 1))
