"""Rows in every table of a schema, to see that a migration keeps them."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import JSON, Boolean, Connection, Date, LargeBinary, MetaData, String, Table, TypeDecorator, insert, select

from agent.infrastructure.store import schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.encrypted_types import Sealed

Contents = dict[str, list[dict[str, Any]]]
ROWS = (1, 2)
# What only some values may stand in. All else is filled by its type.
VALUES: Mapping[str, Any] = {
    "landmarks": [[1, 1]] * 5,
    "payload": {"kind": "images_purged", "count": 1},
    "state": "queued",
    "certainty": "certain",
    "action": "hide",
    "image_ids": [1, 2],
    "changes": [],
    "error_params": {},
    "wish": {},
    "facts": {},
    "synced": True,
    "missing_since": None,
    "left_at": None,
    "hidden_at": None,
    "never_at": None,
    "undone_at": None,
    "lease_until": None,
}


def filled(database: Database) -> Contents:
    """Create the newest tables with rows in each; returns them by table."""
    with database.write() as tx:
        schema.create(tx)
        found = tables(tx)
        for table in found.sorted_tables:
            tx.execute(insert(table), [row(table, number) for number in ROWS])
        return contents(tx, found)


def tables(tx: Connection) -> MetaData:
    """Return the tables as they are, with encrypted columns as the program reads and writes them."""
    found = stored_tables(tx)
    for table in found.sorted_tables:
        for column in table.columns:
            known = schema.metadata.tables.get(table.name)
            if known is not None and column.name in known.columns and isinstance(kind := known.columns[column.name].type, Sealed):
                column.type = kind
    return found


def stored_tables(tx: Connection) -> MetaData:
    """Return the tables as they are, with encrypted columns as they are stored."""
    found = MetaData()
    found.reflect(tx, only=lambda name, _: name != "alembic_version")
    return found


def contents(tx: Connection, found: MetaData) -> Contents:
    """Return every row of every table, in the order of its key."""
    return {
        table.name: [dict(each) for each in tx.execute(select(table).order_by(*table.primary_key.columns)).mappings()]
        for table in found.sorted_tables
    }


def missing(before: Contents, after: Contents) -> list[str]:
    """Return the tables in which a row or a value is gone or changed."""
    return [
        table
        for table, rows in before.items()
        if [{name: value for name, value in now.items() if name in rows[0]} for now in after[table]] != rows
    ]


def row(table: Table, number: int) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    for column in table.columns:
        kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
        if column.name in VALUES:
            filled[column.name] = VALUES[column.name]
        elif isinstance(kind, Boolean):
            filled[column.name] = number == 1
        elif isinstance(kind, JSON):
            filled[column.name] = json.loads("[]")
        elif isinstance(kind, LargeBinary):
            filled[column.name] = f"/photos/{column.name}{number}.jpg".encode()
        elif isinstance(kind, Date):
            filled[column.name] = date(2001, 2, number)
        elif isinstance(kind, String):
            [named, *_] = [each.column.name for each in column.foreign_keys] or [column.name]
            filled[column.name] = f"{named} {number}"
        else:
            filled[column.name] = number
    return filled
