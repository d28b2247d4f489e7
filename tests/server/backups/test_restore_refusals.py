"""Why a backup of a server is not restored: what an operator reads depends on it."""

import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from agent.domain.errors import BackupError, RestoreFailed, RestoreMomentMissed
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.store.data_directory import Archive
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.server.backups.configuration import archive
from agent.server.backups.pgbackrest import PgBackRest, program
from agent.server.backups.repositories import RepositoryFolder, RepositoryPasswords
from agent.server.backups.scratch_database import restored

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
    pytest.mark.skipif(shutil.which("pgbackrest") is None, reason="pgBackRest is not installed"),
]


@pytest.fixture
def backup(tmp_path: Path) -> tuple[Archive, str]:
    """A repository with one backup, and the address of the database that made it."""
    place = RepositoryFolder(tmp_path / "disk")
    log = archive(program(), BackupSettings(), RepositoryPasswords("database", "files"), (place,))
    database = EmbeddedPostgres(tmp_path / "postgres", tmp_path / "postgres.log", log)
    address = database.start()
    try:
        tool = PgBackRest(database.home, database.sockets)
        tool.prepare()
        tool.back_up(1, full=True)
        with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CREATE TABLE later (id int)")
    finally:
        database.stop()
    return log, address


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        (["--type=time", f"--target={datetime.now(UTC) + timedelta(days=1):%Y-%m-%d %H:%M:%S+00}"], RestoreMomentMissed),
        (["--type=default", "--recovery-option=work_mem=broken"], RestoreFailed),
    ],
)
def test_a_moment_that_is_not_reached_is_told_from_a_database_that_does_not_start(
    backup: tuple[Archive, str], tmp_path: Path, words: list[str], refusal: type[BackupError]
) -> None:
    log, address = backup
    messages = tmp_path / "restore.log"
    if refusal is RestoreFailed:  # what an earlier attempt wrote does not count
        messages.write_text("FATAL:  recovery ended before configured recovery target was reached\n")
    with pytest.raises(refusal), restored(tmp_path / "stage" / "postgres", messages, log, address, 1, words):
        pass
