"""What a server's database has beside its tables, such as triggers and policies: put in force at a start if it isn't the program's."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, text

_NOTED = text("SELECT obj_description(to_regclass(:table), 'pg_class')")


def apply_ddl_if_changed(tx: Connection, table: str, statements: Sequence[str]) -> None:
    """Run the statements, unless the comment on the table says that these were run. Raises what PostgreSQL raises."""
    wanted = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if tx.scalar(_NOTED, {"table": table}) == wanted:
        return
    for each in statements:
        tx.exec_driver_sql(each)
    tx.exec_driver_sql(f"COMMENT ON TABLE {table} IS '{wanted}'")
