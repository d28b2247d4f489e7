"""Protects the library while a new version is tried on it: a backup before, and the way back to it."""

from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from agent.domain.errors import StoreDamaged
from agent.infrastructure.store.backup import NEWER, BackupStore
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.migrator import BEFORE_UPGRADE, revision_of
from agent.infrastructure.store.open_library import DATABASE_FILE, open_library
from agent.infrastructure.store.schema import REVISION
from agent.infrastructure.store.secret_stores import Home


class LibraryCare:
    """Protects the library in `folder`, which no process has open: the caller holds the instance's lock."""

    def __init__(self, folder: Path, home: Home, *, keep: int, clock: Callable[[], datetime]) -> None:
        """`keep` is the number of backups that the user wants."""
        self._folder = folder
        self._home = home
        self._keep = keep
        self._clock = clock
        self._backups = BackupStore(folder, home, keep=keep)

    def copy(self) -> tuple[str | None, str | None]:
        """Make a verified backup: (its name, the library's revision); both None without a library. Raises StoreError, KeyHomeError."""
        if not LibraryKeys(self._folder, self._home).exist:
            return None, None
        with closing(open_library(self._folder, self._home)) as database:
            return self._backups.create(database, self._clock()).name, REVISION

    def put_back(self, backup: str | None, revision: str | None) -> bool:
        """Restore the backup if the library has changed, and put the changed one aside; returns whether that was necessary.

        Raises StoreError, KeyHomeError.
        """
        if backup is None or self._as_before(revision):
            return False
        self._backups.restore(self._backups.get(backup), self._clock(), aside=NEWER)
        for copy in self._folder.glob(f"{DATABASE_FILE}.{BEFORE_UPGRADE}*"):
            if copy.name.rpartition("-")[2] > REVISION:
                copy.unlink()  # made by the removed version: the backup has the same content
        return True

    def sound(self) -> bool:
        """Whether every page of it is readable. Raises StoreError, KeyHomeError."""
        try:
            keys = LibraryKeys(self._folder, self._home)
            return not keys.exist or revision_of(self._folder / DATABASE_FILE, keys.unlock()) is not None
        except StoreDamaged:
            return False

    def drop(self, backup: str | None) -> None:
        """Delete the update's backup after a successful update, if the user keeps none. Raises StoreError."""
        if backup is not None and self._keep == 0:
            self._backups.drop(backup)

    def _as_before(self, revision: str | None) -> bool:
        try:
            return revision_of(self._folder / DATABASE_FILE, LibraryKeys(self._folder, self._home).unlock()) == revision
        except StoreDamaged:
            return False
