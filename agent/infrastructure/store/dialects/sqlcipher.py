"""An encrypted SQLCipher file: its transactions, its copies and its errors.

Durability: every transaction survives the death of the process, because SQLite hands it to the system before `commit` returns. With
`synchronous=NORMAL` a power failure can lose the last transactions, complete and in order, never half of one; the queue repeats such
work by itself, because the next rescan finds the files again. The user's own input can't be found again, so `write(durable=True)` waits
for the disk (`synchronous=FULL`).
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Select, create_engine, event, exc
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from agent.domain.errors import StoreBusy, StoreDamaged, StoreDiskFull, StoreError, StoreUnwritable
from agent.infrastructure.core.files import store_error
from agent.infrastructure.store.columns import json_value

KEY_BYTES = 32
_WAIT_S = 10.0  # for another writing process (a backup from the command line)
# Per connection: the indices that show 100,000 images. Decrypting a page again costs more than caching it.
_CACHE_KIB = 16_384
# Below this much free space the log must not grow to its usual size (4 MB): its pages could no longer be moved into the file.
_AMPLE_BYTES = 64 * 1024 * 1024
_LEAST_BYTES = 64 * 1024  # below this, writing is impossible
# A log that grew beside a long reader, as during a backup, gives its space back once its pages are in the file.
_LOG_BYTES = 8 * 1024 * 1024

_READONLY = 8  # without a more specific reason from the file system, which would be part of the code

# Primary result codes of SQLite.
_BY_CODE: dict[int, type[StoreError]] = {
    5: StoreBusy,  # BUSY
    6: StoreBusy,  # LOCKED
    8: StoreUnwritable,  # READONLY
    10: StoreUnwritable,  # IOERR
    11: StoreDamaged,  # CORRUPT
    13: StoreDiskFull,  # FULL
    14: StoreUnwritable,  # CANTOPEN
    26: StoreDamaged,  # NOTADB: also the result of a wrong key
}


class SqlCipher:
    """Implements `Dialect`: one encrypted file. Writers take turns; readers see the last commit and never wait."""

    def __init__(self, path: Path, key: bytes, *, read_only: bool = False, shrinks: bool = False) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("the key must have 32 bytes")
        self.key = key
        self._path = path
        self._read_only = read_only
        self._shrinks = shrinks
        self._turn = threading.Lock()
        self._tight = True  # whether the disk is nearly full; assumed until checked
        self._watching = threading.Lock()
        self._watcher: DBAPIConnection | None = None
        self.engine = self._create_engine()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        with translated(self._path.parent), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        if self._read_only:
            raise StoreUnwritable
        try:
            with self._turn, translated(self._path.parent), self.engine.connect().execution_options(immediate=True) as connection:
                if self._tight:
                    self._make_room(connection)
                if durable:
                    _raw(connection, "PRAGMA synchronous=FULL")
                try:
                    with connection.begin():
                        yield connection
                finally:
                    if durable:
                        _raw(connection, "PRAGMA synchronous=NORMAL")
        except StoreDiskFull:
            self._tight = True
            raise

    def _make_room(self, connection: Connection) -> None:
        """Move pages that can be moved immediately from the log into the file, so that the log's space is reused."""
        with contextlib.suppress(StoreError), translated(self._path.parent):
            _raw(connection, "PRAGMA wal_checkpoint(PASSIVE)")
        self._tight = shutil.disk_usage(self._path.parent).free < _AMPLE_BYTES

    def version(self) -> int:
        # SQLite reports other connections' writes to a connection: this one never writes, so it sees all of them.
        with self._watching, translated(self._path.parent):
            if self._watcher is None:
                self._watcher = self._connect()
            cursor = self._watcher.cursor()
            try:
                cursor.execute("PRAGMA data_version")
                [(version,)] = cursor.fetchall()
                return int(version)
            finally:
                cursor.close()

    def flush(self) -> None:
        """Move everything from the write-ahead log into the file and empty the log: neither then holds deleted content.

        Raises StoreBusy if a reader keeps the log in use, as when copying a large library: then no or only some pages were moved.
        """
        with self._turn, translated(self._path.parent), self.engine.connect() as connection:
            [(busy, *_)] = _raw(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise StoreBusy

    def compact(self) -> None:
        """Rewrite the file without deleted content and empty the log. Readers continue; writers wait."""
        with self._turn, translated(self._path.parent), self.engine.connect() as connection:
            _raw(connection, "VACUUM")
        self.flush()

    def give_back_space(self) -> None:
        with self._turn, translated(self._path.parent), self.engine.connect() as connection:
            _raw(connection, "PRAGMA incremental_vacuum")
        self.flush()

    def copy_to(self, target: Path) -> None:
        with translated(self._path.parent), self.engine.connect() as connection:
            _raw(connection, "VACUUM INTO ?", str(target))

    def keep_copy(self, ending: str) -> None:
        target = self._path.with_name(f"{self._path.name}.{ending}")
        # An existing copy was made before an interrupted upgrade: it may be incomplete, while this file is still intact.
        with translated(self._path.parent):
            target.unlink(missing_ok=True)
        try:
            self.copy_to(target)
        except StoreError:
            with contextlib.suppress(OSError):
                target.unlink(missing_ok=True)  # a full disk has no room for half a copy
            raise

    def sound(self) -> bool:
        """Read every page: authentic (SQLCipher's check) and well-formed (SQLite's). Raises StoreError if it can't be read at all."""
        try:
            with translated(self._path.parent), self.engine.connect() as connection:
                if not _raw(connection, "PRAGMA cipher_integrity_check"):
                    return _raw(connection, "PRAGMA quick_check(1)") == [("ok",)]
            if self._read_only:
                return False
            # That check takes no lock: a page being written may look forged. Now no process writes.
            with self.writing(durable=False) as connection:
                return not _raw(connection, "PRAGMA cipher_integrity_check")
        except StoreDamaged:
            return False

    def size_elsewhere(self) -> int:
        return 0

    def close(self) -> None:
        with self._watching:
            if self._watcher is not None:
                self._watcher.close()
            self._watcher = None
        if not self._read_only:
            with contextlib.suppress(StoreError):
                self.flush()
        self.engine.dispose()

    def _create_engine(self) -> Engine:
        engine = create_engine(
            "sqlite://",
            module=dbapi2,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=4,
            max_overflow=28,
            json_deserializer=json_value,
            pool_use_lifo=True,  # the last used connection has most pages cached; in rotation each would have to load them
        )
        engine.dialect.statement_compiler = _Compiler
        event.listen(engine, "begin", _begin)
        return engine

    def _connect(self) -> DBAPIConnection:
        uri = f"{self._path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
        # `isolation_level=None`: `_begin` begins transactions; the driver would begin them too late for consistency.
        connection: DBAPIConnection = dbapi2.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT_S)
        settings = [
            "cipher_log_level=NONE",  # SQLCipher would log to standard error; its problems come back as error codes anyway
            "cipher_memory_security=ON",  # freed memory is overwritten: names of forgotten people, and keys
            f"key=\"x'{self.key.hex()}'\"",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"cache_size=-{_CACHE_KIB}",
        ]
        if self._shrinks:
            settings.append("auto_vacuum=INCREMENTAL")  # only takes effect for a new file
        if not self._read_only:
            settings += ["journal_mode=WAL", f"journal_size_limit={_LOG_BYTES}", "synchronous=NORMAL", "secure_delete=ON"]
        try:
            cursor = connection.cursor()
            for setting in settings:
                cursor.execute(f"PRAGMA {setting}")
            cursor.close()
        except BaseException:
            connection.close()
            raise
        return connection


class _Compiler(SQLiteCompiler):
    """Writes limits into the statement: SQLite plans one whose limit is a parameter anew each time, which takes longer than a page."""

    def limit_clause(self, select: Select[Any], **kwargs: Any) -> str:
        """Put the numbers in when the statement runs: it is still compiled once."""
        clause: str = super().limit_clause(select, literal_execute=True, **kwargs)  # type: ignore[no-untyped-call]  # it has no types
        return clause


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that became a writer halfway could fail because of another writer in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")


def _raw(connection: Connection, statement: str, *parameters: str) -> list[tuple[object, ...]]:
    """Run a statement that must stay outside any transaction."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


@contextlib.contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Convert the database's and the system's errors into StoreError, once; `folder` is the database's."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreBusy from error
    except exc.DBAPIError as error:
        raise _translate(error.orig, folder) from error
    except dbapi2.Error as error:
        raise _translate(error, folder) from error
    except OSError as error:
        raise store_error(error) from error


def _translate(error: BaseException | None, folder: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    kind = _BY_CODE.get(code & 0xFF) if isinstance(code, int) else None
    if kind is StoreUnwritable and _full(folder):
        kind = StoreDiskFull  # SQLite does not report it for the files beside the database, which every start writes first
    if code == _READONLY and kind is StoreUnwritable and _writable(folder):
        kind = StoreDamaged  # SQLCipher refuses further writes on a connection that met an unreadable page
    # Other errors (a broken constraint, wrong SQL) are defects of the program and propagate unchanged.
    return kind() if kind is not None else error if isinstance(error, Exception) else RuntimeError("no database error")


def _writable(folder: Path) -> bool:
    try:
        return all(os.access(path, os.W_OK) for path in (folder, *folder.iterdir()))
    except OSError:
        return False


def _full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LEAST_BYTES
    except OSError:
        return False  # the path does not exist
