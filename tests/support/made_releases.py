"""What earlier releases wrote (tests/process/upgrade/made), as their programs left it."""

import shutil
from pathlib import Path

from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.open_library import DATABASE_FILE
from agent.infrastructure.store.secret_stores import FileSecretStore
from scripts.earlier_libraries import Release


def taken_out(source: Path, target: Path) -> Path:
    """Return a copy that belongs to its owner alone, as the program left it; Git keeps no such rights."""
    shutil.copytree(source, target)  # and the folders above
    for path in (target, *target.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return target


def copied_library(release: Release, folder: Path) -> Database:
    """Open a copy of the library that a release's desktop wrote, as it is: nothing is migrated."""
    made = taken_out(release.folder / "desktop", folder / release.name)
    key = LibraryKeys(made / "backup", FileSecretStore(made / "keys")).unlock()
    return Database.in_file(made / "backup" / DATABASE_FILE, key)
