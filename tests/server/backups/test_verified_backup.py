"""Repositories in trouble: one whose disk is away, and one whose backups are damaged."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from agent.domain.errors import AgentError, BackupAhead, RepositoryDamaged, RepositoryUnreachable, RepositoryUnwritable, RestoreNoRoom
from agent.infrastructure.core.backup_settings import BackupSettings
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import recovery_code
from agent.infrastructure.store.backup_dates import SLACK
from agent.infrastructure.store.data_directory import STANZA
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres, embedded_address
from agent.server.backups.configuration import archive
from agent.server.backups.context import BackupContext
from agent.server.backups.pgbackrest import PgBackRest, program
from agent.server.backups.repositories import RepositoryFolder, RepositoryPasswords
from agent.server.backups.restic import Restic
from agent.server.backups.runner import BackupRunner
from agent.server.backups.scratch_database import restored
from agent.server.backups.wal_gaps import WalGapLog

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the tests of PostgreSQL run on Linux"),
]


@contextmanager
def backing_up(folder: Path, *places: Path) -> Iterator[PgBackRest]:
    with running(folder, *places) as (embedded, _):
        yield PgBackRest(embedded.home, embedded.sockets)


@contextmanager
def running(folder: Path, *places: Path, limit_mb: int = 4_096) -> Iterator[tuple[EmbeddedPostgres, str]]:
    """A database whose log goes to these places, and its address."""
    passwords = RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    into = archive(program(), BackupSettings(wal_seconds=1, wal_limit_mb=limit_mb), passwords, tuple(map(RepositoryFolder, places)))
    embedded = EmbeddedPostgres(folder / "postgres", folder / "postgres.log", into)
    try:
        yield embedded, embedded.start().replace("+psycopg", "")
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


def test_while_one_repository_is_away_the_other_gets_the_log_and_backups(tmp_path: Path) -> None:
    """Also where root runs it, whose database has the folders as open descriptors."""
    import psycopg

    near, far = tmp_path / "near", tmp_path / "far"
    with running(tmp_path, near, far) as (embedded, address), psycopg.connect(address, autocommit=True) as connection:
        tool = PgBackRest(embedded.home, embedded.sockets)
        tool.prepare()
        connection.execute("CREATE TABLE kept (number int)")
        for number in (1, 2):
            tool.back_up(number, full=True)
        for there, away, place in ((1, 2, far), (2, 1, near)):
            [repository] = place.iterdir()
            repository.chmod(0)  # its user can't enter it
            for each in range(3):
                connection.execute("INSERT INTO kept VALUES (%s)", [each])
                connection.execute("SELECT pg_switch_wal()")
            tool.back_up(there, full=False)
            with pytest.raises(AgentError):
                tool.back_up(away, full=False)
            repository.chmod(0o700)
            tool.back_up(away, full=False)  # what it missed has come
        for number in (1, 2):
            tool.verify(number)
        assert {each.name: len(each.backups) for each in tool.info()} == {"local": 3, "offsite": 3}


def test_log_that_was_given_up_is_noticed_though_postgresql_counts_it_as_arrived(tmp_path: Path) -> None:
    import psycopg

    wal_gaps = WalGapLog(tmp_path / "postgres.log", tmp_path / "mark", lambda: datetime.now(UTC))
    with running(tmp_path, tmp_path / "near", limit_mb=128) as (embedded, address), psycopg.connect(address, autocommit=True) as connection:
        PgBackRest(embedded.home, embedded.sockets).prepare()
        archive_folder = tmp_path / "near" / "database" / "archive"
        archive_folder.rename(tmp_path / "elsewhere")
        archive_folder.touch()
        connection.execute("CREATE TABLE kept (number int)")
        for number in range(12):
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
            connection.execute("SELECT pg_switch_wal()")
        until = time.monotonic() + 60
        while wal_gaps.at() is None and time.monotonic() < until:
            time.sleep(0.2)
            wal_gaps.follow()
        assert wal_gaps.at() is not None
        newest = "SELECT last_archived_wal FROM pg_stat_archiver"
        assert connection.execute(newest).fetchone() != (None,), "though nothing has arrived anywhere"


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


def test_a_restore_from_a_backup_that_was_cut_off_does_not_blame_the_code(tmp_path: Path) -> None:
    with running(tmp_path, tmp_path / "near") as (embedded, _):
        tool = PgBackRest(embedded.home, embedded.sockets)
        tool.prepare()
        tool.back_up(1, full=True)
        log = embedded.home.archive
        assert log is not None
    largest = max((tmp_path / "near").rglob("backup/**/bundle/*"), key=lambda each: each.stat().st_size)
    with largest.open("r+b") as file:
        file.truncate(1000)
    address = embedded_address(tmp_path / "postgres")
    words = ["--type=immediate", "--target-action=promote"]
    with pytest.raises(RepositoryDamaged), restored(tmp_path / "scratch", tmp_path / "scratch.log", log, address, 1, words):
        pass


def test_a_restore_tells_whether_it_read_the_whole_log(tmp_path: Path) -> None:
    """PostgreSQL takes a piece that it can't get for the end of the log, and starts as if nothing had come after it."""
    import psycopg

    with running(tmp_path, tmp_path / "near") as (embedded, address), psycopg.connect(address, autocommit=True) as connection:
        tool = PgBackRest(embedded.home, embedded.sockets)
        tool.prepare()
        connection.execute("CREATE TABLE kept (number int)")
        tool.back_up(1, full=True)
        for number in range(3):
            connection.execute("INSERT INTO kept VALUES (%s)", [number])
            connection.execute("SELECT pg_switch_wal()")
        log = embedded.home.archive
        assert log is not None
    address = embedded_address(tmp_path / "postgres")

    def found(name: str) -> tuple[bool, int]:
        arguments = (tmp_path / name, tmp_path / f"{name}.log", log, address, 1, ["--type=default"])
        with restored(*arguments) as there, psycopg.connect(there.url.replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT count(*) FROM kept").fetchone()
            assert row is not None
            return there.log_read, row[0]

    assert found("whole") == (True, 3)
    pieces = sorted(each for each in (tmp_path / "near" / "database" / "archive").rglob("0*-*") if len(each.name.partition("-")[0]) == 24)
    with pieces[-2].open("r+b") as file:
        file.truncate(100)
    log_read, rows = found("broken")
    assert not log_read and rows < 3


def test_a_restore_without_room_says_how_much_it_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(tmp_path, tmp_path / "near") as (embedded, _):
        tool = PgBackRest(embedded.home, embedded.sockets)
        tool.prepare()
        tool.back_up(1, full=True)
        log = embedded.home.archive
        assert log is not None
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=20_000_000))
    address = embedded_address(tmp_path / "postgres")
    with pytest.raises(RestoreNoRoom) as caught, restored(tmp_path / "to", tmp_path / "log", log, address, 1, ["--type=default"]):
        pass
    assert caught.value.params["free"] == 20 < int(caught.value.params["needed"])


def test_files_that_are_missing_in_a_copied_repository_are_damage(tmp_path: Path) -> None:
    passwords = RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    restic = Restic(RepositoryFolder(tmp_path / "near"), passwords, tmp_path / "cache")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept").write_bytes(b"kept" * 1000)
    restic.prepare()
    restic.back_up(tmp_path / "data", ["kept"], "data")
    [snapshot] = restic.snapshots()
    for each in (tmp_path / "near" / "files" / "data").rglob("*"):
        if each.is_file():
            each.unlink()
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(RepositoryDamaged):
        restic.restore(snapshot.id, tmp_path / "back")


def test_the_first_backup_of_one_repository_does_not_wait_for_the_other(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.touch()  # no folder can be made in it
    places = (RepositoryFolder(tmp_path / "near"), RepositoryFolder(disk / "far"))
    passwords = RepositoryPasswords.of(recovery_code.write(recovery_code.new_secret()))
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path / "home")}).create()
    ends: dict[str, str] = {}

    def end(run: str, _: datetime, *, code: str = "", **__: int) -> None:
        ends[run] = code

    queries = SimpleNamespace(begin=lambda kind, name, _: f"{kind} {name}", end=end, runs=lambda _: [])
    with running(tmp_path, *(each.path for each in places)) as (embedded, _):
        archive_there = embedded.home.archive
        assert archive_there is not None
        ground = BackupContext(places, passwords, archive_there)
        BackupRunner(ground, embedded, cast(Any, queries), Settings, paths, lambda: datetime.now(UTC)).now()
    assert ends == {
        "database local": "",
        "database offsite": RepositoryUnwritable.code,
        "files local": "",
        "files offsite": RepositoryUnreachable.code,
    }


def test_backups_of_a_clock_that_was_ahead_give_way_and_others_stay(tool: PgBackRest) -> None:
    """pgBackRest would make none before their date: it compares a new one's name with all that there ever were."""
    tool.prepare()
    tool.back_up(1, full=True)
    tool.back_up(1, full=False)
    tool.back_up(1, full=True)
    ahead = tool.info(1)[0].backups
    first = ahead[-1]
    tool.drop_ahead(1, first.at - SLACK + timedelta(seconds=0.5))
    assert tool.info(1)[0].backups == (first,)
    history = tool._run(["--repo=1", "--recurse", "repo-ls", f"backup/{STANZA}/backup.history"])
    assert [each.label for each in ahead if f"/{each.label}." in history] == [first.label]
    tool.back_up(1, full=False)
    tool.verify(1)


def test_backups_that_are_all_ahead_stay_because_this_clock_may_be_behind(tool: PgBackRest) -> None:
    tool.prepare()
    tool.drop_ahead(1, datetime.now(UTC))
    tool.back_up(1, full=True)
    tool.drop_ahead(1, datetime.now(UTC))
    with pytest.raises(BackupAhead) as caught:
        tool.drop_ahead(1, datetime.now(UTC) - timedelta(days=3))
    assert caught.value.params["where"] == "local" and len(tool.info(1)[0].backups) == 1
