"""An encrypted SQLCipher file: its transactions, its copies and its errors.

Durability: every transaction survives the death of the process, because SQLite hands it to the system before `commit` returns. With
`synchronous=NORMAL` a power failure can take back the last transactions, whole and in order, never half of one; the queue makes such work
good by itself, for the next rescan finds the files again. What the user said can't be found again, so `write(durable=True)` waits for the
disk (`synchronous=FULL`).
"""

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import QueuePool
from sqlcipher3 import dbapi2

from agent.core.files import store_error
from agent.domain.errors import StoreBusy, StoreDamaged, StoreDiskFull, StoreError, StoreUnwritable

KEY_BYTES = 32
_WAIT_S = 10.0  # for another process that writes (a backup from the command line)
# Per connection: the indices that show 100,000 images. Decrypting a page again costs more than keeping it.
_CACHE_KIB = 16_384
# With less room than this the log must not grow as large as it may otherwise (4 MB): nothing could be moved out of it any more.
_AMPLE_BYTES = 64 * 1024 * 1024
_LEAST_BYTES = 64 * 1024  # with less nothing can be written

_READONLY = 8  # without a reason of the file system's, which would be part of the code

# Primary result codes of SQLite.
_BY_CODE: dict[int, type[StoreError]] = {
    5: StoreBusy,  # BUSY
    6: StoreBusy,  # LOCKED
    8: StoreUnwritable,  # READONLY
    10: StoreUnwritable,  # IOERR
    11: StoreDamaged,  # CORRUPT
    13: StoreDiskFull,  # FULL
    14: StoreUnwritable,  # CANTOPEN
    26: StoreDamaged,  # NOTADB: also what a foreign key looks like
}


class SqlCipher:
    """Implements `Dialect`: one encrypted file. Writers take turns; readers see the last commit and wait for nobody."""

    def __init__(self, path: Path, key: bytes, *, read_only: bool = False, shrinks: bool = False) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError("the key must have 32 bytes")
        self.key = key
        self._path = path
        self._read_only = read_only
        self._shrinks = shrinks
        self._turn = threading.Lock()
        self._tight = True  # the disk, until it has been looked at
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
        """Move what can be moved at once from the log into the file, so that the log's own room serves again."""
        with contextlib.suppress(StoreError), translated(self._path.parent):
            _raw(connection, "PRAGMA wal_checkpoint(PASSIVE)")
        self._tight = shutil.disk_usage(self._path.parent).free < _AMPLE_BYTES

    def version(self) -> int:
        # SQLite tells a connection of what others wrote: this one never writes, so it hears of everything.
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
        """Move everything from the write-ahead log into the file and empty the log: deleted content is then in neither.

        Raises StoreBusy if a reader keeps the log, as a copy of a large library does: then nothing, or a part of it, was moved.
        """
        with self._turn, translated(self._path.parent), self.engine.connect() as connection:
            [(busy, *_)] = _raw(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise StoreBusy

    def compact(self) -> None:
        """Write the file anew without anything that was deleted, and empty the log. Others may read meanwhile; writers wait."""
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
        # A copy that is there already was made before an upgrade that did not end: it may be half, this file is still whole.
        with translated(self._path.parent):
            target.unlink(missing_ok=True)
        self.copy_to(target)

    def sound(self) -> bool:
        """Read every page: authentic (SQLCipher's check) and well-formed (SQLite's). Raises StoreError if it can't be read at all."""
        try:
            with translated(self._path.parent), self.engine.connect() as connection:
                if not _raw(connection, "PRAGMA cipher_integrity_check"):
                    return _raw(connection, "PRAGMA quick_check(1)") == [("ok",)]
            if self._read_only:
                return False
            # It reads the file without a lock: what looks forged may be a page that was just being written. Now no process writes.
            with self.writing(durable=False) as connection:
                return not _raw(connection, "PRAGMA cipher_integrity_check")
        except StoreDamaged:
            return False

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
            pool_use_lifo=True,  # the connection used last knows most pages; in turn, each would have to learn them all
        )
        event.listen(engine, "begin", _begin)
        return engine

    def _connect(self) -> DBAPIConnection:
        uri = f"{self._path.absolute().as_uri()}?mode={'ro' if self._read_only else 'rwc'}"
        # `isolation_level=None`: transactions are begun by `_begin`; the driver would begin them too late to be consistent.
        connection: DBAPIConnection = dbapi2.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_WAIT_S)
        settings = [
            "cipher_log_level=NONE",  # SQLCipher would write its trouble to standard error; it comes back as error codes anyway
            "cipher_memory_security=ON",  # what is freed is overwritten: names of people who were forgotten, and keys
            f"key=\"x'{self.key.hex()}'\"",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            f"cache_size=-{_CACHE_KIB}",
        ]
        if self._shrinks:
            settings.append("auto_vacuum=INCREMENTAL")  # counts only for a file that is made now
        if not self._read_only:
            settings += ["journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"]
        try:
            cursor = connection.cursor()
            for setting in settings:
                cursor.execute(f"PRAGMA {setting}")
            cursor.close()
        except BaseException:
            connection.close()
            raise
        return connection


def _begin(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that became a writer halfway could fail because another writer came between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("immediate") else "BEGIN")


def _raw(connection: Connection, statement: str, *parameters: str) -> list[tuple[object, ...]]:
    """Run a statement that must stand outside any transaction."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement, parameters)
        return [tuple(row) for row in cursor.fetchall()]
    finally:
        cursor.close()


@contextlib.contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Turn the database's and the system's errors into StoreError, once; `folder` is the database's."""
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
        kind = StoreDiskFull  # SQLite does not say so of the files beside the database, with which every start begins
    if code == _READONLY and kind is StoreUnwritable and _writable(folder):
        kind = StoreDamaged  # SQLCipher refuses further writes on a connection that met a page it can't read
    # Anything else (a broken constraint, wrong SQL) is a defect of the program: it goes up as it is.
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
        return False  # it is not even there
