"""Adding a row whose number the database chooses."""

from collections.abc import Mapping

from sqlalchemy import Connection, Table, insert


def add(tx: Connection, table: Table, values: Mapping[str, object]) -> int:
    """Insert one row; returns its id."""
    key = tx.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None
    return int(key[0])
