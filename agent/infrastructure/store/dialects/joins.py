"""How databases join."""

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection, text

_LOOPS = "SET LOCAL enable_nestloop = "


@contextlib.contextmanager
def without_nested_loops(tx: Connection) -> Iterator[None]:
    """Have PostgreSQL hash or sort whole tables in here, where a statement is about most of their rows.

    It can't know that faces of clusters are seldom those that have names, expects few of them, and looks up the rest for each face.
    """
    if tx.dialect.name != "postgresql":
        yield
        return
    tx.execute(text(_LOOPS + "off"))
    yield
    tx.execute(text(_LOOPS + "on"))
