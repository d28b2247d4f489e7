"""What is special to one kind of database: how it is opened, how its writers take turns, how its errors read, how it is kept in order."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine


class Dialect(Protocol):
    """One database. All methods raise StoreError only, and are safe from any thread."""

    @property
    def engine(self) -> Engine: ...

    @property
    def key(self) -> bytes:
        """The secret that files beside the database are encrypted with."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state throughout, and waits for no writer."""
        ...

    def writing(self, *, durable: bool) -> AbstractContextManager[Connection]:
        """A transaction during which no other one writes, in whatever process; `durable` waits until it is on the disk."""
        ...

    def version(self) -> int:
        """Another number after every change, whoever made it."""
        ...

    def flush(self) -> None:
        """Remove deleted content from the log, as far as the program can."""
        ...

    def compact(self) -> None:
        """Write the data anew without anything that was deleted."""
        ...

    def give_back_space(self) -> None:
        """Return what deleted rows took up to the disk."""
        ...

    def copy_to(self, target: Path) -> None:
        """Write all of it into a new encrypted file with the same key, while others read and write."""
        ...

    def keep_copy(self, ending: str) -> None:
        """Put a copy aside before the tables are changed, if that is the program's task."""
        ...

    def sound(self) -> bool:
        """Whether all of it can be read."""
        ...

    def close(self) -> None: ...
