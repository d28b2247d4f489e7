"""Transactions over one database, whatever its dialect."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from agent.store.dialects import Dialect
from agent.store.dialects.sqlcipher import KEY_BYTES, SqlCipher


class Database:
    """Writers take turns; readers see the last commit and wait for nobody."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._engine = dialect.engine
        self.uses = 0  # another number after every transaction

    @classmethod
    def in_file(cls, path: Path, key: bytes, *, read_only: bool = False, shrinks: bool = False) -> "Database":
        """An encrypted file; `shrinks` makes one that can give its space back. Raises ValueError unless the key has 32 bytes."""
        return cls(SqlCipher(path, key, read_only=read_only, shrinks=shrinks))

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the library throughout. Raises StoreError."""
        self.uses += 1
        with self._dialect.reading() as tx:
            yield tx

    @contextlib.contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Connection]:
        """A transaction that is written whole or not at all; `durable` waits until it is on the disk. Raises StoreError."""
        self.uses += 1
        with self._dialect.writing(durable=durable) as tx:
            yield tx

    def version(self) -> int:
        """Another number after every change, whoever made it, also another process; quick to ask. Raises StoreError."""
        return self._dialect.version()

    def flush(self) -> None:
        """Empty the log: what was deleted is then nowhere in it either.

        Raises StoreBusy if the log is read all the while, as for a copy of a large library: then nothing, or a part of it, was moved.
        """
        self._dialect.flush()

    def compact(self) -> None:
        """Write everything anew without what was deleted, and empty the log; writers wait. Raises StoreError."""
        self._dialect.compact()

    def give_back_space(self) -> None:
        """Return what deleted rows took up to the disk. Only a file made with `shrinks` can."""
        self._dialect.give_back_space()

    def key_for(self, purpose: bytes) -> bytes:
        """Another key that follows from this database's."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(self._dialect.key)

    def beside(self, path: Path) -> "Database":
        """A file with the same key, that can give its space back."""
        return Database.in_file(path, self._dialect.key, shrinks=True)

    def copy_to(self, target: Path) -> None:
        """Write a compact copy, encrypted with the same key, while others read and write. `target` must not exist. Raises StoreError."""
        self._dialect.copy_to(target)

    def keep_copy(self, ending: str) -> None:
        """Put a copy aside, named by its ending, before the tables are changed. Raises StoreError."""
        self._dialect.keep_copy(ending)

    def sound(self) -> bool:
        """Read everything; whether it is whole. Raises StoreError if it can't be read at all."""
        return self._dialect.sound()

    def let_go(self) -> None:
        """Close unused connections, with the pages they keep, and forget compiled statements: those hold the values of their first use.

        The next use opens a connection in a millisecond or two.
        """
        self._engine.clear_compiled_cache()
        self._engine.dispose()

    def close(self) -> None:
        self._dialect.close()
