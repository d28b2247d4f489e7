"""The PostgreSQL that comes with the program: made, started, killed, and never opened by two."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import make_url

from agent.domain.errors import DatabaseFailed, DatabaseFilesUnfit, DatabaseOld, DatabaseUnreachable, StoreDiskFull, VectorsOld
from agent.infrastructure.core.log_rotation import files_of, rotate
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import embedded_postgres, postgres_programs
from agent.infrastructure.store import server_database as module
from agent.infrastructure.store.change_cursor import Moment, changed, moment
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres, embedded_address
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.infrastructure.store.server_database import Versions, database_url, server_database, versions_of
from agent.server.backups.scratch_database import clear
from tests.support.killed_processes import left_by_a_killed_program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the server's programs are installed for these tests on Linux")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "private" / "data"
    folder.mkdir(parents=True)
    folder.parent.chmod(0o700)  # as every home of the program: no other user gets in
    return folder


@pytest.fixture
def postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data / "postgres", data / "postgres.log")
    yield server
    server.stop()


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def run(url: str, statement: str) -> psycopg.Cursor[tuple[object, ...]]:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        return connection.execute(statement.encode())


def value(url: str, statement: str) -> object:
    [[found]] = run(url, statement).fetchall()
    return found


def test_it_listens_to_nobody_else(postgres: EmbeddedPostgres, data: Path) -> None:
    url = make_url(postgres.start())
    assert postgres.pid is not None
    assert [each for each in psutil.Process(postgres.pid).net_connections() if each.status == psutil.CONN_LISTEN] == []
    assert psutil.Process(postgres.pid).uids().real != 0
    assert stat.S_IMODE((data / "postgres" / "address").stat().st_mode) == 0o600
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(url.query["host"]), user=url.username, dbname=url.database, password="wrong")


def test_killed_while_it_is_being_started_it_is_started_again(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, have_database = list[int](), embedded_postgres._have_database

    def kill_once(connection: object) -> None:
        asked.append(postgres.pid or 0)
        if len(asked) == 1:
            psutil.Process(asked[0]).kill()
        have_database(connection)

    monkeypatch.setattr(embedded_postgres, "_have_database", kill_once)
    assert value(postgres.start(), "SELECT 1") == 1
    assert len(set(asked)) == 2


def test_a_restored_one_that_ends_by_itself_is_given_up_at_once(postgres: EmbeddedPostgres, data: Path) -> None:
    """As when the log ends before the moment that was asked for: another start would replay all of it again."""
    postgres.start()
    postgres.stop()
    with (postgres.home.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("ai_popup_ends_it = 1\n")
    restored = EmbeddedPostgres(data / "postgres", data / "restore.log", recovers_s=60)
    with pytest.raises(DatabaseFailed):
        restored.start()
    restored.stop()
    assert (data / "restore.log").read_text().count('"ai_popup_ends_it"') == 1


@pytest.mark.parametrize(("written", "found"), [("17", "17"), ("19", "19"), ("damaged", "")])
def test_files_of_a_version_that_does_not_come_with_it_are_refused_by_name(
    postgres: EmbeddedPostgres, data: Path, written: str, found: str
) -> None:
    files = data / "postgres" / "cluster" / "data"
    files.mkdir(parents=True)
    (files / "PG_VERSION").write_text(f"{written}\n")
    with pytest.raises(DatabaseFilesUnfit) as refused:
        postgres.start()
    assert refused.value.params == ({"found": found} if found else {}) | {"known": "16, 18"}
    assert [each.name for each in files.iterdir()] == ["PG_VERSION"], "nothing was changed"


def test_a_disk_without_room_for_a_new_one_is_named(data: Path) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(data)], capture_output=True, check=False).returncode:
        pytest.skip("needs to mount")
    try:
        with pytest.raises(StoreDiskFull):
            EmbeddedPostgres(data / "postgres", data / "postgres.log").start()
    finally:
        subprocess.run(["umount", str(data)], check=True)


def test_workers_find_it_by_its_file(postgres: EmbeddedPostgres, data: Path) -> None:
    with pytest.raises(DatabaseUnreachable):
        database_url(Settings(), data)
    url = postgres.start()
    assert database_url(Settings(), data) == url == embedded_address(data / "postgres")


def test_an_address_of_the_settings_is_used_instead(data: Path) -> None:
    settings = Settings.model_validate({"server": {"database": "postgresql://someone:secret@elsewhere/photos"}})
    assert database_url(settings, data) == "postgresql+psycopg://someone:secret@elsewhere/photos"


def test_it_is_new_enough_and_has_vectors(postgres: EmbeddedPostgres) -> None:
    versions = versions_of(postgres.start())
    versions.check()
    assert versions.server >= 180_000


def test_what_was_written_is_there_after_a_restart(postgres: EmbeddedPostgres) -> None:
    run(postgres.start(), "CREATE TABLE kept (number int)")
    postgres.stop()
    assert value(postgres.start(), "SELECT count(*) FROM kept") == 0


def test_killed_it_recovers_what_was_committed(postgres: EmbeddedPostgres) -> None:
    url = postgres.start()
    run(url, "CREATE TABLE kept (number int)")
    run(url, "INSERT INTO kept SELECT generate_series(1, 1000)")
    assert postgres.pid is not None
    psutil.Process(postgres.pid).kill()
    assert postgres.start() == url  # its clients keep their address
    assert value(url, "SELECT count(*) FROM kept") == 1000


def test_one_that_a_killed_server_left_is_ended_first(postgres: EmbeddedPostgres, data: Path) -> None:
    run(postgres.start(), "CREATE TABLE kept (number int)")
    left = postgres.pid
    assert left is not None
    next_server = EmbeddedPostgres(data / "postgres", data / "postgres.log")
    try:
        url = next_server.start()
        assert not postgres.runs and next_server.pid != left
        assert value(url, "SELECT count(*) FROM kept") == 0
    finally:
        next_server.stop()


def test_another_program_with_the_same_number_is_left_alone(postgres: EmbeddedPostgres, data: Path) -> None:
    postgres.start()
    postgres.stop()
    (data / "postgres" / "cluster" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    postgres.start()
    assert postgres.runs


def test_a_start_that_was_interrupted_begins_again(postgres: EmbeddedPostgres, data: Path) -> None:
    (data / "postgres" / "cluster" / "new").mkdir(parents=True)
    (data / "postgres" / "cluster" / "new" / "PG_VERSION").write_text("18\n")
    assert value(postgres.start(), "SELECT 1") == 1


def test_a_long_folder_has_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    server = EmbeddedPostgres(folder / "postgres", folder / "postgres.log")
    try:
        url = server.start()
        sockets = Path(str(make_url(url).query["host"]))
        assert value(url, "SELECT 1") == 1
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    finally:
        server.stop()
    assert not sockets.exists()


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root runs it as another user")
def test_programs_that_its_user_cannot_reach_are_copied(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = postgres_programs._package()
    hidden = tmp_path / "private" / package.name
    hidden.symlink_to(package, target_is_directory=True)
    hidden.with_name(f"{package.name}.libs").symlink_to(package.with_name(f"{package.name}.libs"), target_is_directory=True)
    monkeypatch.setattr(postgres_programs, "_package", lambda: hidden)
    left = left_by_a_killed_program(Path("/tmp"))
    os.utime(left.parent.parent, (0, 0))
    server = EmbeddedPostgres(data / "postgres", data / "postgres.log")
    try:
        assert value(server.start(), "SELECT 1") == 1
        assert server.pid is not None and not left.exists()
        program = Path(psutil.Process(server.pid).exe())
        assert tmp_path not in program.parents and package not in program.parents
    finally:
        server.stop()
    assert not program.exists()


def test_its_log_tells_no_values_and_is_rotated_while_it_runs(postgres: EmbeddedPostgres, data: Path) -> None:
    url = postgres.start()
    with pytest.raises(psycopg.Error):
        value(url, "SELECT 'Ada Lovelace'::int")
    with pytest.raises(psycopg.Error):
        value(url, "SELECT * FROM ada_lovelace")
    log = data / "postgres.log"
    with log.open("ab") as file:
        file.write(b"x" * 2**20 + b"\n")
    assert rotate(log, LogSettings(max_mb=1))
    postgres.stop()
    new, old = (path.read_text() for path in files_of(log))
    assert "ovelace" not in new + old
    assert "ready to accept connections" in old
    assert new.endswith("database system is shut down\n") and new.startswith("2"), "it goes on at the beginning, with the time"


def test_the_library_in_it_is_opened_again_with_its_keys(postgres: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    url, library, home = postgres.start(), data / "library", FileSecretStore(tmp_path / "keys")
    first = server_database(url, library, home)
    key = first.key_for(b"files")
    first.close()
    again = server_database(url, library, home)
    assert again.key_for(b"files") == key and isinstance(again._dialect, PostgreSql)
    again.close()


def test_after_a_crash_what_was_kept_of_a_library_is_read_anew(postgres: EmbeddedPostgres, data: Path, tmp_path: Path) -> None:
    """A process of the database that is killed makes it recover; its other processes stay the same."""
    url = postgres.start()
    before, since = seen(url, data, tmp_path)
    assert since == frozenset()
    with pytest.raises(psycopg.OperationalError), psycopg.connect(plain(url)) as connection:
        psutil.Process(connection.info.backend_pid).kill()
        connection.execute("SELECT 1")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError):
            run(url, "SELECT 1")
            break
        time.sleep(0.05)
    assert seen(url, data, tmp_path, before)[1] is None


def seen(url: str, data: Path, tmp_path: Path, since: Moment | None = None) -> tuple[Moment, frozenset[int] | None]:
    """What the library's database is at now, and what changed in it since then."""
    with closing(server_database(url, data / "library", FileSecretStore(tmp_path / "keys"))) as database, database.read() as tx:
        now = moment(tx)
        assert now is not None
        return now, changed(tx, since or now, now)


def test_an_old_server_is_refused_before_anything_is_touched(
    postgres: EmbeddedPostgres, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, library = postgres.start(), data / "library"
    monkeypatch.setattr(module, "POSTGRES", 99)
    with pytest.raises(DatabaseOld) as refused:
        server_database(url, library, FileSecretStore(tmp_path / "keys"))
    assert refused.value.params == {"found": "18", "wanted": "99"}
    assert value(url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert not library.exists() and not (tmp_path / "keys").exists()


@pytest.mark.parametrize(
    ("versions", "error"),
    [
        (Versions(150_008, "0.8.5"), DatabaseOld(found="15", wanted="16")),
        (Versions(160_004), VectorsOld(wanted="0.8.4", server=16)),
        (Versions(160_004, "0.8.3"), VectorsOld(found="0.8.3", wanted="0.8.4", server=16)),
        (Versions(170_001, "0.8.5", "0.7.0"), VectorsOld(found="0.7.0", ready="0.8.5", wanted="0.8.4", server=17)),
    ],
)
def test_what_is_too_old_is_named_with_what_is_wanted(versions: Versions, error: DatabaseOld | VectorsOld) -> None:
    with pytest.raises(type(error)) as refused:
        versions.check()
    assert json.dumps(refused.value.params) == json.dumps(error.params)


@pytest.mark.parametrize("versions", [Versions(160_000, "0.8.4"), Versions(180_004, "0.10.0", "0.9"), Versions(190_000, "1.0.0")])
def test_what_is_new_enough_is_taken(versions: Versions) -> None:
    versions.check()


def test_a_server_that_is_not_there_is_told_without_its_address() -> None:
    with pytest.raises(DatabaseUnreachable) as refused:
        versions_of("postgresql+psycopg://someone:secret@127.0.0.1:1/photos")
    assert str(refused.value) == "server.database_unreachable refused=1" and refused.value.__cause__ is None


def test_one_that_a_killed_trial_restore_left_ends_before_its_folder_goes(postgres: EmbeddedPostgres, data: Path) -> None:
    postgres.start()
    clear(data / "postgres")
    assert not postgres.runs and not (data / "postgres").exists()


def test_a_restored_ones_memory_goes_with_its_folder(postgres: EmbeddedPostgres, data: Path) -> None:
    """No other ever starts there, which would remove what a killed one left elsewhere."""
    postgres.start()
    postgres.stop()
    restored = EmbeddedPostgres(data / "postgres", data / "restore.log", recovers_s=60)
    restored.start()
    try:
        assert restored.pid is not None
        used = [Path(each.path).name for each in psutil.Process(restored.pid).memory_maps() if each.path.startswith("/dev/shm/")]
    finally:
        restored.stop()
    assert used == []
