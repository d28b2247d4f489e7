"""Opens the library of a folder with its keys, or creates one if the folder never had one."""

from pathlib import Path

from agent.domain.errors import StoreDamaged
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.migrator import open_database
from agent.infrastructure.store.secret_stores import Home

DATABASE_FILE = "library.db"
BACKUPS_FOLDER = "backups"


def open_library(folder: Path, home: Home) -> Database:
    """Open the library in `folder`, created with new keys on first use. An existing one is never replaced by an empty one.

    Raises StoreKeyMissing, StoreKeyWrong, StoreDamaged (a part of it is damaged or missing: restore a backup), StoreNewer, StoreTooOld,
    KeyHomeError, StoreUnwritable, StoreDiskFull.
    """
    keys = LibraryKeys(folder, home)
    database = folder / DATABASE_FILE
    lost = not _has_content(database) and any((folder / BACKUPS_FOLDER).glob("*/"))
    if keys.exist:
        key = keys.unlock()
        # Keys without a database: the very first start was interrupted in between, unless there ever was a backup.
        if lost:
            raise StoreDamaged
    elif _has_content(database) or lost:
        raise StoreDamaged
    else:
        key, _ = keys.create()
    return open_database(database, key)


def _has_content(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
