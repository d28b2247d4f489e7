"""A server works on a schema that fits it, and leaves every other one as it is."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from agent.domain.errors import OlderVersionsRun, SchemaNew, SchemaOld, StoreTooOld
from agent.infrastructure.store import migrator
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.migrator import schema_state
from agent.infrastructure.store.schema import BASELINE, REVISION, WORKS_FROM
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import Migrating, check_schema, refuse_older, server_database
from tests.support.filled_schema import filled
from tests.support.later_schema import CONTRACT, EXPAND, become_later, later_program, write_steps
from tests.support.postgres_server import ON_SERVER, PostgresServer

BEFORE, OLDER = f"{int(BASELINE) - 1:04}", f"{int(REVISION) - 1:04}"


def opened(url: str, tmp_path: Path, migrating: Migrating) -> None:
    server_database(url, tmp_path / "library", FileSecretStore(tmp_path / "keys"), migrating).close()


def execute(url: str, *statements: str) -> None:
    database = Database(PostgreSql(url, bytes(32)))
    with database.write() as tx:
        for each in statements:
            tx.execute(text(each))
    database.close()


@pytest.mark.parametrize("_", ON_SERVER)
def test_an_empty_database_gets_its_tables_unless_that_is_left_to_the_command(_: str, postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.url(postgres.create())
    with pytest.raises(SchemaOld) as refused:
        opened(url, tmp_path, Migrating.NONE)
    assert refused.value.params == {"program": REVISION}
    assert not (tmp_path / "library").exists()
    opened(url, tmp_path, Migrating.NEW)
    state = check_schema(url, Migrating.NONE)
    assert (state.found, state.works_from) == (REVISION, WORKS_FROM)


@pytest.mark.parametrize("_", ON_SERVER)
def test_an_older_schema_waits_for_the_command(
    _: str, postgres: PostgresServer, library_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(postgres.create())
    database = Database(PostgreSql(url, library_key))
    filled(database)
    migrations = write_steps(tmp_path)
    become_later(migrations, monkeypatch)
    for migrating in (Migrating.NEW, Migrating.NONE):
        with pytest.raises(SchemaOld) as refused:
            opened(url, tmp_path, migrating)
        assert refused.value.params == {"found": REVISION, "program": CONTRACT}
    assert schema_state(database).found == REVISION
    database.close()
    home, code = tmp_path / "home", later_program(migrations)
    assert migrate(home, url, "--check", code=code)[0] == 1
    ended, planned = migrate(home, url, "--plan", "--json", code=code)
    plan = json.loads(planned)
    assert (ended, plan["found"], plan["program"], plan["migrated"]) == (0, REVISION, CONTRACT, False)
    assert [(step["revision"], step["kind"], step["deferred"]) for step in plan["steps"]] == [
        (EXPAND, "expand", False),
        (CONTRACT, "contract", True),
    ]
    ended, done = migrate(home, url, "--json", code=code)
    assert (ended, json.loads(done)["migrated"]) == (0, True)
    ended, again = migrate(home, url, "--json", code=code)
    assert (ended, json.loads(again)["migrated"], json.loads(again)["steps"]) == (0, False, [])
    assert migrate(home, url, "--check", code=code)[0] == 0


@pytest.mark.parametrize("_", ON_SERVER)
def test_a_schema_from_before_the_baseline_is_refused_and_left_alone(_: str, postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.url(postgres.create())
    opened(url, tmp_path / "made", Migrating.ANY)
    execute(url, f"UPDATE alembic_version SET version_num = '{BEFORE}'")
    for migrating in Migrating:
        with pytest.raises(StoreTooOld) as refused:
            opened(url, tmp_path, migrating)
        assert refused.value.params == {"found": BEFORE, "oldest": BASELINE}
    assert not (tmp_path / "library").exists()
    for words in ((), ("--plan",), ("--expand",), ("--check",)):
        ended, said = migrate(tmp_path / "home", url, *words)
        assert (ended, said) == (1, "")
    with pytest.raises(StoreTooOld):
        check_schema(url, Migrating.ANY)  # and its revision is as it was


@pytest.mark.parametrize("_", ON_SERVER)
def test_after_a_rollback_the_program_works_on_a_newer_schema_that_only_grew(_: str, postgres: PostgresServer, tmp_path: Path) -> None:
    url = postgres.url(postgres.create())
    opened(url, tmp_path, Migrating.ANY)
    grown = (
        "CREATE TABLE later (id int PRIMARY KEY)",
        "ALTER TABLE person ADD COLUMN later int",
        "UPDATE alembic_version SET version_num = '9000'",
    )
    execute(url, *grown, f"COMMENT ON TABLE alembic_version IS 'works from {REVISION}'")
    opened(url, tmp_path, Migrating.NONE)
    opened(url, tmp_path, Migrating.ANY)
    assert check_schema(url, Migrating.NONE).found == "9000", "it is left as it is"
    for said in ("'works from 9000'", "NULL"):
        execute(url, f"COMMENT ON TABLE alembic_version IS {said}")
        with pytest.raises(SchemaNew) as refused:
            opened(url, tmp_path, Migrating.ANY)
        assert refused.value.params == {"found": "9000", "program": REVISION}


@pytest.mark.parametrize("_", ON_SERVER)
def test_a_contract_step_is_refused_while_an_older_program_is_connected(_: str, postgres: PostgresServer) -> None:
    url = postgres.url(postgres.create())
    before, address = f"ai-popup {OLDER} 0", url.replace("+psycopg", "")
    names = (before, "ai-popup 0", f"ai-popup {REVISION} 0", "psql")
    with contextlib.ExitStack() as connected:
        for each in names:
            connected.enter_context(psycopg.connect(address, application_name=each))
        with pytest.raises(OlderVersionsRun) as refused:
            refuse_older(url, REVISION)
        assert refused.value.params == {"count": 2}
        refuse_older(url, None)
    refuse_older(url, REVISION)


@pytest.mark.parametrize("_", ON_SERVER)
def test_a_deferred_step_waits_for_the_command(
    _: str, postgres: PostgresServer, library_key: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(postgres.create())
    database = Database(PostgreSql(url, library_key))
    filled(database)
    become_later(write_steps(tmp_path), monkeypatch, serves_from=EXPAND)
    migrator.upgrade(database, deferred=False)
    state = schema_state(database)
    assert (state.found, state.works_from, state.fits, state.left) == (EXPAND, WORKS_FROM, True, True)
    for migrating in (Migrating.NONE, Migrating.NEW, Migrating.EXPAND):
        check_schema(url, migrating)
        migrator.upgrade(database, deferred=False)
        assert schema_state(database).found == EXPAND
    migrator.upgrade(database)
    state = schema_state(database)
    assert (state.found, state.works_from, state.left) == (CONTRACT, EXPAND, False)
    database.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux")
def test_the_command_keeps_the_log_of_its_own_database_for_the_backups(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code, done = migrate(home, "", "--json")
    assert (code, json.loads(done)["migrated"]) == (0, True)
    waiting = home / "data" / "postgres" / "cluster" / "data" / "pg_wal" / "archive_status"
    assert any(waiting.iterdir()), "a piece that no repository has waits for one"


def migrate(home: Path, url: str, *words: str, code: str = "") -> tuple[int, str]:
    """Run the command, by `code` if that is another program's."""
    environment = {**os.environ, "AI_POPUP_HOME": str(home), "AI_POPUP__SERVER__DATABASE": url.replace("postgresql+psycopg", "postgresql")}
    program = [sys.executable, "-c", code] if code else [sys.executable, "-m", "agent"]
    done = subprocess.run([*program, "server", "migrate", *words], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout
