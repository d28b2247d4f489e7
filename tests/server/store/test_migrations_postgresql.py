"""A library on a server comes up to date as one in a file does."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.schema import REVISION
from tests.support.filled_schema import contents, filled, missing, stored_tables, tables
from tests.support.later_schema import CONTRACT, EXPAND, become_later, write_steps
from tests.support.postgres_server import ON_SERVER, PostgresServer

SAME_PLACE = "INSERT INTO place (id, path, size, mtime_ns, noted_at, source, host) SELECT 9, path, 1, 1, 1, source, host FROM place LIMIT 1"


@pytest.fixture(params=ON_SERVER)
def database(postgres: PostgresServer, library_key: bytes) -> Iterator[Database]:
    """A database without tables."""
    made = Database(PostgreSql(postgres.url(postgres.create()), library_key))
    yield made
    made.close()


@pytest.mark.smoke
def test_an_older_library_comes_up_to_date_and_loses_nothing(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = filled(database)
    become_later(write_steps(tmp_path), monkeypatch)
    migrator.upgrade(database)
    with database.read() as tx:
        assert tx.scalar(text("SELECT version_num FROM alembic_version")) == CONTRACT
        sealed, after = contents(tx, stored_tables(tx)), contents(tx, tables(tx))
        assert tx.scalars(text("SELECT pixels FROM image ORDER BY id")).all() == [1, 4]
    assert "name 1" not in repr(sealed["person"]) + repr(sealed["member"]) and "jpeg1" not in repr(sealed["chip"])
    assert missing(before, after) == []
    with database.write() as tx:
        with pytest.raises(IntegrityError):
            tx.execute(text(SAME_PLACE))
        tx.rollback()


def test_a_step_that_fails_changes_nothing(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database)
    migrations = write_steps(tmp_path)
    [last] = (migrations / "versions").glob(f"v{CONTRACT}_*.py")
    last.write_text(last.read_text(encoding="utf-8") + "    raise RuntimeError\n", encoding="utf-8")
    become_later(migrations, monkeypatch)
    with pytest.raises(RuntimeError):
        migrator.upgrade(database)
    with database.read() as tx:
        assert tx.scalar(text("SELECT version_num FROM alembic_version")) == REVISION
        assert "comment" not in stored_tables(tx).tables, f"{EXPAND} is undone too"
