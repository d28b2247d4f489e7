"""The encrypted file: unreadable to others, refused when damaged, whole after any error."""

import contextlib
import errno
import gc
import shutil
import sqlite3
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import BindParameter, event, text

from agent.domain.errors import StoreBusy, StoreDamaged, StoreDiskFull, StoreError, StoreNewer, StoreTooOld, StoreUnwritable
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Priority
from agent.features.library.queries import image_queries
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.store import migrator, schema
from agent.infrastructure.store.backup import check_copy
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects import sqlcipher
from agent.infrastructure.store.migrator import open_database

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRET_PATH = "/home/somebody/holiday-in-rome.jpg"


def note(library: RedactionQueries, path: str = SECRET_PATH) -> None:
    library.note_file(FileSeen(path, 1, 1, "/home/somebody"), Recipe("centerface-2"), priority=Priority.NEW, now=NOW)


@pytest.fixture
def database(tmp_path: Path, library_key: bytes) -> Iterator[Database]:
    opened = Database.in_file(tmp_path / "some.db", library_key)
    yield opened
    opened.close()


def damage(path: Path) -> None:
    """Change a byte in every page but the first."""
    content = bytearray(path.read_bytes())
    for position in range(4096 + 100, len(content), 4096):
        content[position] ^= 255
    path.write_bytes(content)


def test_every_change_makes_another_version_whoever_made_it(database: Database, tmp_path: Path, library_key: bytes) -> None:
    def change(by: Database) -> int:
        with by.write() as tx:
            tx.execute(text("CREATE TABLE IF NOT EXISTS t (a INTEGER)"))
            tx.execute(text("INSERT INTO t VALUES (1)"))
        return database.version()

    before = database.version()
    assert database.version() == before
    first = change(database)
    with contextlib.closing(Database.in_file(tmp_path / "some.db", library_key)) as other:
        assert change(other) not in {before, first}
    second = database.version()
    assert first != before
    with database.read() as tx:
        tx.execute(text("SELECT a FROM t")).all()
    assert database.version() == second


def test_nobody_reads_the_library_without_its_key(library: RedactionQueries, tmp_path: Path) -> None:
    note(library)
    # A copy, because Python's own SQLite would let go of the locks of this process when it closes the file.
    shutil.copyfile(tmp_path / "library.db", tmp_path / "stolen.db")
    stolen = sqlite3.connect(tmp_path / "stolen.db")
    with contextlib.closing(stolen), pytest.raises(sqlite3.DatabaseError, match="not a database"):
        stolen.execute("SELECT * FROM sqlite_master")
    with pytest.raises(StoreDamaged):
        RedactionQueries(open_database(tmp_path / "library.db", bytes(32)))
    library.database.copy_to(tmp_path / "copy.db")
    files = sorted(tmp_path.glob("*.db*"))
    assert {"library.db", "library.db-wal", "copy.db"} <= {file.name for file in files}
    for file in files:
        assert b"holiday" not in file.read_bytes() and b"SQLite format" not in file.read_bytes()


def test_a_key_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Database.in_file(tmp_path / "some.db", b"short")


def test_a_damaged_page_is_found(library: RedactionQueries, tmp_path: Path, library_key: bytes) -> None:
    note(library)
    assert library.database.sound()
    library.database.close()
    damage(tmp_path / "library.db")
    with pytest.raises(StoreDamaged):
        check_copy(tmp_path / "library.db", library_key)


def test_what_is_no_library_is_refused_and_left_alone(tmp_path: Path, library_key: bytes) -> None:
    path = tmp_path / "library.db"
    path.write_bytes(b"my diary, nothing else" * 1000)
    with pytest.raises(StoreDamaged):
        RedactionQueries(open_database(path, library_key))
    assert path.read_bytes() == b"my diary, nothing else" * 1000


def test_a_folder_that_is_not_there_is_named_as_such(tmp_path: Path, library_key: bytes) -> None:
    with pytest.raises(StoreUnwritable):
        RedactionQueries(open_database(tmp_path / "nowhere" / "library.db", library_key))


def test_a_full_disk_undoes_the_whole_transaction(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x BLOB)"))
    with pytest.raises(StoreDiskFull), database.write() as tx:
        tx.execute(text("INSERT INTO t VALUES ('first')"))
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count = {pages + 1}"))
        tx.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    with database.read() as tx:
        assert tx.execute(text("SELECT count(*) FROM t")).scalar_one() == 0


def test_on_a_small_disk_the_log_does_not_take_all_the_room(
    library: RedactionQueries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlcipher, "_AMPLE_BYTES", 1 << 62)
    for number in range(30):
        note(library, f"/{number}")
    assert (tmp_path / "library.db-wal").stat().st_size < 500_000


def test_a_log_that_grew_beside_a_long_reader_gives_its_space_back(database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x BLOB)"))
    with database.read() as reader:
        reader.execute(text("SELECT count(*) FROM t")).all()
        for _ in range(20):
            with database.write() as tx:
                tx.execute(text("INSERT INTO t VALUES (randomblob(1000000))"))
    assert (tmp_path / "some.db-wal").stat().st_size > 20_000_000
    for _ in range(2):  # the first moves the pages into the file
        with database.write() as tx:
            tx.execute(text("INSERT INTO t VALUES (NULL)"))
    assert (tmp_path / "some.db-wal").stat().st_size < 9_000_000


def test_after_a_full_disk_the_log_is_emptied_before_anything_is_written(database: Database, tmp_path: Path) -> None:
    def moved() -> int:
        return (tmp_path / "some.db").stat().st_size

    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x BLOB)"))
    with database.write() as tx:
        tx.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
    before = moved()
    with pytest.raises(StoreDiskFull), database.write() as tx:
        raise OSError(errno.ENOSPC, "")
    with database.write():
        assert moved() > before + 100_000


def test_a_copy_can_be_read_and_not_written(database: Database, tmp_path: Path, library_key: bytes) -> None:
    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x)"))
    database.copy_to(tmp_path / "copy.db")
    copy = Database.in_file(tmp_path / "copy.db", library_key, read_only=True)
    assert copy.sound()
    with pytest.raises(StoreUnwritable), copy.write() as tx:
        tx.execute(text("INSERT INTO t VALUES (1)"))
    copy.close()


def test_another_process_that_writes_too_long_is_named_as_such(
    database: Database, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlcipher, "_WAIT_S", 0.01)
    other = Database.in_file(tmp_path / "some.db", library_key)
    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x)"))
        with pytest.raises(StoreBusy), other.write():
            pass
    other.close()


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (x)"))
    seen: list[int] = []

    def read() -> None:
        with database.read() as reader:
            seen.append(reader.execute(text("SELECT count(*) FROM t")).scalar_one())

    with database.write() as tx:
        tx.execute(text("INSERT INTO t VALUES (1)"))
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(timeout=10)
    assert seen == [0]


def test_connections_are_let_go_while_another_thread_reads(library: RedactionQueries) -> None:
    note(library)
    before = library.database.uses
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            assert library.counts().jobs

    reading = threading.Thread(target=read)
    reading.start()
    for _ in range(20):
        library.database.let_go()
    done.set()
    reading.join(10)
    note(library)
    assert library.database.uses > before and library.database.sound()


def test_statements_are_let_go_though_a_thread_uses_another_meanwhile(library: RedactionQueries, monkeypatch: pytest.MonkeyPatch) -> None:
    note(library)
    engine, tried = library.database._engine, list[int]()
    clear = engine.clear_compiled_cache

    def cleared() -> None:
        tried.append(len(engine._compiled_cache or ()))
        if len(tried) == 1:
            raise RuntimeError("dictionary changed size during iteration")
        clear()

    monkeypatch.setattr(engine, "clear_compiled_cache", cleared)
    library.database.let_go()
    assert len(tried) == 2 and not engine._compiled_cache


def held(value: str) -> int:
    """How many values of statements in this process's memory are that one."""
    gc.collect()
    return sum(1 for each in gc.get_objects() if isinstance(each, BindParameter) and each.value == value)


def test_no_statement_keeps_what_it_was_first_used_with_once_memory_is_given_back(library: RedactionQueries) -> None:
    note(library)
    assert held(SECRET_PATH) > 0
    library.database.let_go()
    assert held(SECRET_PATH) == 0


def test_what_sqlcipher_frees_is_overwritten(database: Database) -> None:
    with database.read() as tx:
        assert tx.execute(text("PRAGMA cipher_memory_security")).scalar_one() == "1"


def test_a_limit_is_no_parameter_so_that_sqlite_keeps_its_plan(library: RedactionQueries) -> None:
    said: list[tuple[str, object]] = []
    event.listen(library.database._engine, "before_cursor_execute", lambda *parts: said.append((parts[2], parts[3])))
    for limit in (7, 60, 7):
        library.images(limit=limit)
    limited = [(statement, values) for statement, values in said if "LIMIT" in statement]
    assert [statement.rpartition("LIMIT ")[2] for statement, _ in limited] == ["7 OFFSET 0", "60 OFFSET 0", "7 OFFSET 0"]
    assert {values for _, values in limited} == {(image_queries._BEYOND,)}


def test_what_the_user_said_is_on_the_disk_when_the_call_returns(database: Database) -> None:
    def level() -> int:
        return int(tx.execute(text("PRAGMA synchronous")).scalar_one())

    with database.write() as tx:
        assert level() == 1  # NORMAL
    with database.write(durable=True) as tx:
        assert level() == 2  # FULL
    with database.write() as tx:
        assert level() == 1


def test_deleted_content_is_overwritten(database: Database) -> None:
    with database.read() as tx:
        assert tx.execute(text("PRAGMA secure_delete")).scalar_one() == 1
        assert tx.execute(text("PRAGMA foreign_keys")).scalar_one() == 1
        assert tx.execute(text("PRAGMA temp_store")).scalar_one() == 2  # memory


def test_a_library_of_a_newer_version_is_refused_and_left_alone(library: RedactionQueries, tmp_path: Path, library_key: bytes) -> None:
    library.database.close()
    raw = Database.in_file(tmp_path / "library.db", library_key)
    with raw.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    raw.close()
    before = (tmp_path / "library.db").read_bytes()
    with pytest.raises(StoreNewer):
        RedactionQueries(open_database(tmp_path / "library.db", library_key))
    assert (tmp_path / "library.db").read_bytes() == before


@pytest.mark.parametrize("as_backup", [False, True])
@pytest.mark.parametrize("revision", ["0001", "0027", f"{int(schema.BASELINE) - 1:04}"])
def test_a_library_from_before_the_baseline_is_refused_and_left_alone(
    library: RedactionQueries, revision: str, as_backup: bool, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old" / "library.db"
    path.parent.mkdir()
    with library.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :to"), {"to": revision})
    if as_backup:
        library.database.copy_to(path)
    library.database.close()
    if not as_backup:
        shutil.copyfile(tmp_path / "library.db", path)
    before = path.read_bytes()
    monkeypatch.setattr(migrator, "_alembic", lambda: pytest.fail("Alembic is not asked"))
    with pytest.raises(StoreTooOld) as refused:
        open_database(path, library_key)
    assert refused.value.params == {"found": revision, "oldest": schema.BASELINE}
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} <= {"library.db", "library.db-wal", "library.db-shm"}, "no copy is put aside"


def test_an_older_library_is_copied_aside_before_it_is_migrated(
    library: RedactionQueries, tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.database.close()
    migrated: list[bool] = []
    monkeypatch.setattr(migrator, "REVISION", "9999")
    monkeypatch.setattr(migrator, "_migrate", lambda *_: migrated.append((tmp_path / "library.db.before-9999").exists()))
    open_database(tmp_path / "library.db", library_key).close()
    assert migrated == [True]
    assert check_copy(tmp_path / "library.db.before-9999", library_key) == 0


def test_an_interrupted_first_start_leaves_nothing_half(tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(tx: object) -> None:
        real(tx)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    real = schema.create
    monkeypatch.setattr(migrator, "create", interrupted)
    with pytest.raises(KeyboardInterrupt):
        RedactionQueries(open_database(tmp_path / "library.db", library_key))
    monkeypatch.undo()
    library = RedactionQueries(open_database(tmp_path / "library.db", library_key))
    note(library)
    library.database.close()


def test_a_library_that_another_process_makes_meanwhile_is_taken_as_it_is(
    tmp_path: Path, library_key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def revision(tx: object) -> str | None:
        if not asked:
            asked.append(None)
            open_database(tmp_path / "library.db", library_key).close()
            return None
        return real(tx)  # type: ignore[arg-type]

    real = migrator._revision
    monkeypatch.setattr(migrator, "_revision", revision)
    library = RedactionQueries(open_database(tmp_path / "library.db", library_key))
    note(library)
    library.database.close()


def test_writes_that_are_refused_without_a_reason_of_the_systems_mean_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLCipher refuses to write on a connection that met a page it can't read."""

    class Refused(sqlcipher.dbapi2.OperationalError):  # type: ignore[misc, name-defined]
        sqlite_errorcode = 8

    with pytest.raises(StoreDamaged), sqlcipher.translated(tmp_path):
        raise Refused
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(StoreUnwritable), sqlcipher.translated(tmp_path):
        raise Refused


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for a file's size")
def test_a_copy_before_an_upgrade_that_finds_no_room_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    import resource

    with database.write() as tx:
        tx.execute(text("CREATE TABLE t (a BLOB)"))
        tx.execute(text("INSERT INTO t VALUES (zeroblob(400000))"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StoreError):
            database.keep_copy("before-0002")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "some.db.before-0002").exists()

    database.keep_copy("before-0002")
    assert (tmp_path / "some.db.before-0002").stat().st_size > 400_000
