"""A team server on a PostgreSQL whose administrator gave its user few rights, or a database that does not fit: each is told."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import make_url

from agent.domain.errors import DatabaseEncoding, DatabaseRights, DatabaseUnreachable
from agent.infrastructure.store import row_security
from agent.infrastructure.store.addresses import libpq_address
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import server_database, unreachable, versions_of
from tests.support.postgres_server import ON_SERVER, PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.parametrize("_", ON_SERVER)
SERVER_USER = "few_rights"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """One of its own: roles are the whole server's."""
    made = PostgresServer()
    execute(made.url("postgres"), f"CREATE ROLE {SERVER_USER} LOGIN")
    yield made
    made.stop()


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(libpq_address(url), autocommit=True) as connection:
        for each in statements:
            connection.execute(each.encode())


def as_user(url: str) -> str:
    return make_url(url).set(username=SERVER_USER).render_as_string()


def start(url: str, tmp_path: Path) -> None:
    with closing(server_database(as_user(url), tmp_path / "library", FileSecretStore(tmp_path / "keys"))):
        pass


def test_what_the_errors_say_is_all_that_the_administrator_has_to_do(_: str, server: PostgresServer, tmp_path: Path) -> None:
    database = server.create()
    url = server.url(database)
    with pytest.raises(DatabaseRights) as refused:
        start(url, tmp_path)
    assert refused.value.params == {"tables": 1}
    execute(url, f"ALTER DATABASE {database} OWNER TO {SERVER_USER}", "CREATE EXTENSION IF NOT EXISTS vector")
    with pytest.raises(DatabaseRights) as refused:
        start(url, tmp_path)
    assert refused.value.params == {"role": row_security.MEMBER}
    execute(url, f"CREATE ROLE {row_security.MEMBER} NOLOGIN", f"GRANT {row_security.MEMBER} TO {SERVER_USER}")
    start(url, tmp_path)
    start(url, tmp_path)


def test_a_database_without_a_schema_is_refused_with_what_makes_it(_: str, server: PostgresServer, tmp_path: Path) -> None:
    database = server.create()
    url = server.url(database)
    execute(url, f"ALTER ROLE {SERVER_USER} CREATEROLE", f"ALTER DATABASE {database} OWNER TO {SERVER_USER}")
    execute(url, "DROP SCHEMA IF EXISTS public CASCADE")
    with pytest.raises(DatabaseRights) as refused:
        start(url, tmp_path)
    assert refused.value.params == {"schema": 1}
    execute(url, f"CREATE SCHEMA public AUTHORIZATION {SERVER_USER}", "CREATE EXTENSION IF NOT EXISTS vector")
    start(url, tmp_path)


def test_a_user_who_may_make_roles_needs_no_administrator(_: str, server: PostgresServer, tmp_path: Path) -> None:
    database = server.create()
    execute(server.url(database), f"ALTER ROLE {SERVER_USER} CREATEROLE", f"ALTER DATABASE {database} OWNER TO {SERVER_USER}")
    start(server.url(database), tmp_path)


def test_a_database_without_unicode_is_refused_before_anything_is_made(_: str, postgres: PostgresServer, tmp_path: Path) -> None:
    name = f"ascii_{tmp_path.name.replace('-', '_')[-20:]}"
    execute(postgres.url("postgres"), f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with pytest.raises(DatabaseEncoding) as refused:
        server_database(postgres.url(name), tmp_path / "library", FileSecretStore(tmp_path / "keys"))
    assert refused.value.params == {"found": "SQL_ASCII"} and not (tmp_path / "library").exists()
    execute(postgres.url("postgres"), f"DROP DATABASE {name}")


def test_a_database_that_is_not_there_is_told_from_a_server_that_is_not(_: str, postgres: PostgresServer) -> None:
    for url, why in ((postgres.url("nowhere"), "missing"), ("postgresql+psycopg://tests@127.0.0.1:1/postgres", "refused")):
        with pytest.raises(DatabaseUnreachable) as refused:
            versions_of(url)
        assert refused.value.params == {why: 1} and refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ('FATAL:  password authentication failed for user "popup"', "sign_in"),
        ("fe_sendauth: no password supplied", "sign_in"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.9", user "popup", database "photos", no encryption', "sign_in"),
        ('FATAL:  role "popup" does not exist', "sign_in"),
        ("failed to resolve host 'db.invalid': [Errno -2] Name or service not known", "name"),
        ("server does not support SSL, but SSL was required", "encryption"),
        ("FATAL:  sorry, too many clients already", "busy"),
        ("connection timeout expired", "slow"),
    ],
)
def test_why_it_let_no_connection_be_made_is_told(_: str, message: str, why: str) -> None:
    assert unreachable(psycopg.OperationalError(message)).params == {why: 1}
    assert unreachable(psycopg.OperationalError("FATAL:  Passwort-Authentifizierung fehlgeschlagen")).params == {}
