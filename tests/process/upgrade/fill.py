"""Makes a desktop's backup and a server's dump with rows in every table, by the code of the checkout that it is run for.

`scripts/earlier_libraries.py` runs it with an earlier checkout first on the path, so it may use only what is in all of them.
"""

import gzip
import json
import os
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, insert, select

from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.encrypted_types import Sealed
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.schema import metadata
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import server_database
from tests.support.filled_schema import ROWS, row
from tests.support.postgres_server import PostgresServer

MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROWS_FILE, DUMP_FILE = "rows.json.gz", "server.sql.gz"
Contents = dict[str, list[dict[str, Any]]]


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, (date, datetime)):
        return {"date": value.isoformat()}
    return value


def found_in(tx: Connection) -> MetaData:
    """The tables as they are, with encrypted columns as the program reads and writes them; without what row security derives."""
    found = MetaData()
    found.reflect(tx, only=lambda name, _: name in metadata.tables)
    for table in found.sorted_tables:
        for column in table.columns:
            known = metadata.tables[table.name].columns.get(column.name)
            if known is not None and isinstance(known.type, Sealed):
                column.type = known.type
    return found


def contents(database: Database) -> Contents:
    """Every row of every table, in the order of the keys."""
    with database.read() as tx:
        return {
            table.name: [
                {name: plain(value) for name, value in known(table.name, each).items()}
                for each in tx.execute(select(table).order_by(*table.primary_key.columns)).mappings()
            ]
            for table in found_in(tx).sorted_tables
        }


def fill(database: Database) -> Contents:
    """Put rows into each table that has none, and return all."""
    with database.write() as tx:
        for table in found_in(tx).sorted_tables:
            if tx.execute(select(table).limit(1)).first() is None:
                tx.execute(insert(table), [known(table.name, row(table, number)) for number in ROWS])
    return contents(database)


def known(table: str, values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in values.items() if name in metadata.tables[table].columns}


def desktop(folder: Path) -> None:
    """Make `folder/backup`, its key and its rows."""
    home, library = FileSecretStore(folder / "keys"), folder / "library"
    library.mkdir(parents=True)
    database = open_library(library, home)
    rows = fill(database)
    backup = BackupStore(library, home, keep=1).create(database, MADE_AT)
    shutil.copytree(backup.path, folder / "backup")
    database.close()
    shutil.rmtree(library)
    write(folder / ROWS_FILE, json.dumps(rows, indent=0).encode())


def server(folder: Path) -> None:
    """Make a dump as the guide of that release says (`pg_dump`, `config` and `data` of the home), and its rows."""
    home, library = FileSecretStore(folder / "keys"), folder / "library"
    library.mkdir(parents=True)
    postgres = PostgresServer()
    try:
        database = server_database(postgres.url(postgres.create()), library, home)
        rows = fill(database)
        write(folder / DUMP_FILE, postgres.dump(database))
        database.close()
    finally:
        postgres.stop()
    write(folder / ROWS_FILE, json.dumps(rows, indent=0).encode())


def write(path: Path, content: bytes) -> None:
    path.write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    os.umask(0o077)
    desktop(Path(sys.argv[1]) / "desktop")
    server(Path(sys.argv[1]) / "server")
