"""A backup that is read back: damage in what it builds on is found before anyone needs it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.backups.configuration import archive
from agent.backups.pgbackrest import PgBackRest, program
from agent.backups.repositories import Folder, Passwords
from agent.core.backup_settings import BackupSettings
from agent.domain.errors import RepositoryDamaged, RepositoryUnwritable
from agent.store import recovery_code
from agent.store.embedded_postgres import EmbeddedPostgres

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@contextmanager
def backing_up(folder: Path, *places: Path) -> Iterator[PgBackRest]:
    passwords = Passwords.of(recovery_code.write(recovery_code.new_secret()))
    into = archive(program(), BackupSettings(wal_seconds=1), passwords, tuple(map(Folder, places)))
    embedded = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", into)
    embedded.start()
    try:
        yield PgBackRest(embedded.home, embedded.sockets)
    finally:
        embedded.stop()


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[PgBackRest]:
    with backing_up(tmp_path, tmp_path / "near") as made:
        yield made


def test_a_repository_whose_disk_is_away_keeps_the_database_from_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.touch()  # no folder can be made in it
    with backing_up(tmp_path, tmp_path / "near", disk / "far") as tool:
        with pytest.raises(RepositoryUnwritable) as caught:
            tool.prepare()
        assert caught.value.params["where"] == "offsite"
        assert [bool(each.code) for each in tool.info()] == [False, True]
        disk.unlink()
        tool.prepare()  # it is back
        assert [bool(each.code) for each in tool.info()] == [False, False]


def test_damage_in_the_full_backup_is_found_by_reading_back_the_one_that_builds_on_it(tool: PgBackRest, tmp_path: Path) -> None:
    tool.prepare()
    tool.back_up(1, full=True)
    tool.back_up(1, full=False)
    [repository] = tool.info()
    newest, full = repository.backups
    assert (newest.kind, full.kind) == ("diff", "full")
    tool.verify(1, newest.label)

    largest = max((tmp_path / "near").rglob(f"backup/*/{full.label}/**/bundle/*"), key=lambda each: each.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.write_bytes(content)
    with pytest.raises(RepositoryDamaged):
        tool.verify(1, newest.label)
