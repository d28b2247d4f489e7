"""What backups stand on: the repositories of the settings, their passwords, and the database's folder."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from agent.domain.errors import (
    AgentError,
    BackupDatabaseElsewhere,
    BackupError,
    BackupOff,
    BackupToolMissing,
    OffsiteFileUnreadable,
    OffsiteSecretMissing,
)
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.data_directory import Archive
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.secret_stores import Home
from agent.server.backups.configuration import archive
from agent.server.backups.pgbackrest import TOOL
from agent.server.backups.repositories import Place, RepositoryFolder, RepositoryPasswords, local_folder, offsite_of

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BackupContext:
    places: tuple[Place, ...]  # the local one first
    passwords: RepositoryPasswords = field(repr=False)
    archive: Archive
    problem: AgentError | None = None  # why the settings' offsite repository is not among them


def passwords_of(library: Path, home: Home) -> RepositoryPasswords:
    """Derive the passwords from the library's recovery code; a new library's keys are made first. Raises KeyHomeError, StoreError."""
    keys = LibraryKeys(library, home)
    if not keys.exist:
        return RepositoryPasswords.of(keys.create()[1])
    return RepositoryPasswords.of(keys.recovery_code(keys.unlock()))


def backup_context(settings: Settings, paths: AppPaths, home: Home) -> BackupContext:
    """Raises BackupDatabaseElsewhere, BackupOff, BackupToolMissing, KeyHomeError, StoreError."""
    if settings.server.database:
        raise BackupDatabaseElsewhere
    if not settings.backup.enabled:
        raise BackupOff
    found = shutil.which(TOOL)
    if found is None:
        raise BackupToolMissing(tool=TOOL)
    passwords, local = passwords_of(paths.library, home), RepositoryFolder(local_folder(settings, paths.data))
    places: tuple[Place, ...] = (local,)
    try:
        offsite = offsite_of(settings, home)
        places = (local, offsite) if offsite is not None else (local,)
        return BackupContext(places, passwords, archive(found, settings.backup, passwords, places))
    except (OffsiteFileUnreadable, OffsiteSecretMissing) as error:
        return BackupContext((local,), passwords, archive(found, settings.backup, passwords, (local,)), error)


def archive_of(settings: Settings, paths: AppPaths, home: Home) -> Archive | None:
    """Return where the database's log goes; None without backups. Raises KeyHomeError, StoreError."""
    try:
        return backup_context(settings, paths, home).archive
    except BackupError as error:
        log.info("backup.none", code=error.code)
        return None
