"""Adding a row whose number the database chooses, and taking a note."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, delete, insert

from agent.adapters.store.schema import meta


def add(tx: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert one row; returns its id."""
    key = tx.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def take_note(tx: Connection, name: str) -> None:
    """Note that something is so, until the note is taken back."""
    tx.execute(delete(meta).where(meta.c.name == name))
    tx.execute(insert(meta).values(name=name, value=1))
