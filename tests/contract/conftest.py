"""The library over each dialect."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from tests.support.postgres_server import DIALECTS, clear


@pytest.fixture(params=DIALECTS)
def database(
    request: pytest.FixtureRequest, tmp_path: Path, empty_library: Path, library_key: bytes, statements_compiled_once: None
) -> Iterator[Database]:
    """Of a new, empty library."""
    if request.param == "sqlcipher":
        shutil.copyfile(empty_library, tmp_path / "library.db")
        yield Database.in_file(tmp_path / "library.db", library_key)
        return
    made: Database = request.getfixturevalue("on_server")
    yield made
    clear(made)


@pytest.fixture
def open_again(database: Database, request: pytest.FixtureRequest, tmp_path: Path, library_key: bytes) -> Callable[[], Database]:
    """Opens the same library anew, with connections of its own."""
    if "sqlcipher" in request.node.callspec.params.values():
        return lambda: Database.in_file(tmp_path / "library.db", library_key)
    from agent.infrastructure.store.dialects.postgresql import PostgreSql

    url = database._engine.url.render_as_string()
    return lambda: Database(PostgreSql(url, library_key))


@pytest.fixture
def library(database: Database) -> Iterator[RedactionQueries]:
    upgrade(database)
    yield RedactionQueries(database)
    database.close()
