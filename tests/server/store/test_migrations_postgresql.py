"""A library on a server comes up to date as one in a file does, and both ways to make its tables make the same."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Connection, MetaData, text

from agent.infrastructure.store import migrator, schema
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.encrypted_types import Sealed
from tests.process.store.test_migrations import REMADE, contents, filled, revisions, tables
from tests.support.postgres_server import ON_SERVER, PostgresServer

SEALED = "0018"  # the revision since which names, consents and faces are encrypted
PARTS = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, character_maximum_length"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "indices": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
}


@pytest.fixture(params=ON_SERVER)
def make(postgres: PostgresServer, library_key: bytes) -> Iterator[Callable[[], Database]]:
    """Makes databases without tables."""
    made: list[Database] = []

    def one() -> Database:
        made.append(Database(PostgreSql(postgres.url(postgres.create()), library_key)))
        return made[-1]

    yield one
    for each in made:
        each.close()


def parts(tx: Connection) -> dict[str, set[tuple[object, ...]]]:
    return {name: {tuple(row) for row in tx.execute(text(query))} for name, query in PARTS.items()}


def unsealed(found: MetaData) -> MetaData:
    """Read encrypted columns as the program does."""
    for table in found.sorted_tables:
        for column in table.columns:
            if isinstance(kind := schema.metadata.tables[table.name].columns[column.name].type, Sealed):
                column.type = kind
    return found


@pytest.mark.smoke
def test_the_migrations_build_what_a_new_library_has(make: Callable[[], Database]) -> None:
    new, database = make(), make()
    migrator.upgrade(new)
    with database.write() as tx:
        migrator._migrate(tx)
    with new.read() as made, database.read() as migrated:
        expected, found = parts(made), parts(migrated)
        for name in PARTS:
            assert found[name] == expected[name], name
        assert [column[5] for column in found["columns"] if column[:2] == ("person", "name")] == ["C"]
        assert any("WHERE" in str(definition) for _, definition in found["indices"])


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_an_older_library_comes_up_to_date_and_loses_nothing(
    revision: str, make: Callable[[], Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make()
    before = filled(revision, database, monkeypatch, unsealed if revision >= SEALED else lambda found: found)
    migrator.upgrade(database)
    with database.read() as tx:
        assert tx.scalar(text("SELECT version_num FROM alembic_version")) == schema.REVISION
        sealed, after = contents(tx, tables(tx)), contents(tx, unsealed(tables(tx)))
    assert "name 1" not in repr(sealed["person"]) + repr(sealed.get("member")) and "jpeg1" not in repr(sealed["chip"])
    for table, rows in before.items():
        if (table, revision) in REMADE:
            assert len(after[table]) == len(rows)
            continue
        assert [{name: value for name, value in now.items() if name in rows[0]} for now in after[table]] == rows, table
