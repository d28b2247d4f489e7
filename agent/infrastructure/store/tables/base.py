"""What all tables share.

Ids are never reused (`sqlite_autoincrement`; PostgreSQL does so by itself): logs, events and open windows refer to them.
"""

from typing import Any

from sqlalchemy import Column, Index, MetaData

metadata = MetaData()


def index_of_few(name: str, column: Column[Any], *, led_by: tuple[Column[Any], ...] = ()) -> None:
    """An index of only the rows that have a value: a full index would tempt the planner to scan every present file."""
    some = column.is_not(None)
    # Setting it for PostgreSQL too would load its dialect in every agent (3 MB): `PostgreSql` takes the condition from here.
    Index(name, *led_by, column, sqlite_where=some, info={"where": some})
