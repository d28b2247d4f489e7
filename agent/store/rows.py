"""Adding a row whose number the database chooses, or the one that follows, and taking a note."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, delete, func, insert, select

from agent.store.schema import meta


def add(tx: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert one row; returns its id."""
    key = tx.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def append(tx: Connection, table: Table, values: Mapping[str, object]) -> None:
    """Insert one row whose number follows the last one's, without a gap."""
    if tx.dialect.name == "postgresql":  # its sequences go on also where a transaction was rolled back
        values = {**values, "id": (tx.scalar(select(func.max(table.c.id))) or 0) + 1}
    tx.execute(insert(table).values(**values))


def take_note(tx: Connection, name: str) -> None:
    """Note that something is so, until the note is taken back: as a number that grows, so that it isn't for what came since."""
    before = tx.scalar(select(meta.c.value).where(meta.c.name == name)) or 0
    tx.execute(delete(meta).where(meta.c.name == name))
    tx.execute(insert(meta).values(name=name, value=before + 1))
