"""Transactions over one database, independent of its dialect."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from agent.infrastructure.store.dialects import Dialect
from agent.infrastructure.store.dialects.sqlcipher import KEY_BYTES, SqlCipher

_TRIES = 100  # the cache is small: one of them meets no other thread
AUDIT_KEY = "audit_key"  # the execution option with the key of the audit log's digests, see `agent.infrastructure.store.audit_log`


class Database:
    """Writers take turns; readers see the last commit and never wait."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._engine = dialect.engine
        self._engine.update_execution_options(**{AUDIT_KEY: self.key_for(b"audit log")})
        self.uses = 0  # changes after every transaction

    @classmethod
    def in_file(cls, path: Path, key: bytes, *, read_only: bool = False, shrinks: bool = False) -> "Database":
        """An encrypted file; `shrinks` creates one that can return free space. Raises ValueError unless the key has 32 bytes."""
        return cls(SqlCipher(path, key, read_only=read_only, shrinks=shrinks))

    @property
    def is_shared(self) -> bool:
        """Whether it is on a database server, for a team."""
        return self._engine.dialect.name == "postgresql"

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the library throughout. Raises StoreError."""
        self.uses += 1
        with self._dialect.reading() as tx:
            yield tx

    @contextlib.contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A transaction that is written completely or not at all; `durable` waits until it is on disk. Raises StoreError."""
        self.uses += 1
        with self._dialect.writing(durable=durable) as tx:
            yield tx

    def version(self) -> int:
        """A number that changes after every change, including other processes'; cheap to read. Raises StoreError."""
        return self._dialect.version()

    def flush(self) -> None:
        """Empty the log, so that it no longer holds deleted data.

        Raises StoreBusy if a reader keeps the log in use, as when copying a large library: then no or only some pages were moved.
        """
        self._dialect.flush()

    def compact(self) -> None:
        """Remove deleted data from the database and the log; writers of a file wait. Raises StoreError."""
        self._dialect.compact()

    def give_back_space(self) -> None:
        """Return the space of deleted rows to the disk. Only works for a file made with `shrinks`."""
        self._dialect.give_back_space()

    def key_for(self, purpose: bytes) -> bytes:
        """Another key, derived from this database's."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(self._dialect.key)

    def beside(self, path: Path) -> "Database":
        """A file with the same key that can return free space."""
        return Database.in_file(path, self._dialect.key, shrinks=True)

    def copy_to(self, target: Path) -> None:
        """Write a compact copy, encrypted with the same key, while others read and write. `target` must not exist. Raises StoreError."""
        self._dialect.copy_to(target)

    def keep_copy(self, ending: str) -> None:
        """Put a copy aside, named by its ending, before the tables are changed. Raises StoreError."""
        self._dialect.keep_copy(ending)

    def sound(self) -> bool:
        """Read everything; returns whether it is intact. Raises StoreError if it can't be read at all."""
        return self._dialect.sound()

    def size_elsewhere(self) -> int:
        """Bytes that it takes outside the library's folder: 0 for a file in it. Raises StoreError."""
        return self._dialect.size_elsewhere()

    def let_go(self) -> None:
        """Close unused connections, with their cached pages, and drop compiled statements: those hold the values of their first use.

        The next use opens a connection within a millisecond or two.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(RuntimeError):  # a thread used another statement meanwhile
                self._engine.clear_compiled_cache()
                break
        self._engine.dispose()

    def close(self) -> None:
        self._dialect.close()


class Queries:
    """Queries over one database. Each is a transaction of its own, is safe from any thread, may block, and raises StoreError."""

    def __init__(self, database: Database) -> None:
        self.database = database
