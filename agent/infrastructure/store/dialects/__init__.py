"""The parts specific to one kind of database: opening it, serialising writers, mapping errors, maintenance."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine


class Dialect(Protocol):
    """One database. All methods raise only StoreError and are thread-safe."""

    @property
    def engine(self) -> Engine: ...

    @property
    def key(self) -> bytes:
        """The secret that encrypts files beside the database."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state throughout and waits for no writer."""
        ...

    def writing(self, *, durable: bool) -> AbstractContextManager[Connection]:
        """An exclusive write transaction, across processes; `durable` waits until it is on disk."""
        ...

    def version(self) -> int:
        """A number that changes after every change, including other processes'."""
        ...

    def flush(self) -> None:
        """Remove deleted content from the log, as far as the program can."""
        ...

    def compact(self) -> None:
        """Remove deleted content from the data."""
        ...

    def give_back_space(self) -> None:
        """Return the space of deleted rows to the disk."""
        ...

    def copy_to(self, target: Path) -> None:
        """Copy everything into a new encrypted file with the same key; readers and writers continue."""
        ...

    def keep_copy(self, ending: str) -> None:
        """Put a copy aside before the tables are changed, if that is the program's task."""
        ...

    def sound(self) -> bool:
        """Whether all of it is readable."""
        ...

    def size_elsewhere(self) -> int:
        """Bytes that the database takes outside the library's folder."""
        ...

    def close(self) -> None: ...
