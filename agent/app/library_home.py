"""Where the library is: its key, its backups, and what protects it during an update."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import structlog

from agent.domain.errors import BackupError, DatabaseUnreachable, ServerPackagesMissing, ServerStopped
from agent.features.people.recognition_switch import Backups
from agent.features.updates.library_care import LibraryCare
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.instance_lock import is_held
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import KeyHome, Settings
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.secret_stores import Home, MigratingSecretStore, key_home, note_move, one_home

log = structlog.get_logger()

KEY_HOME = "library.key_home"


def library_care(settings: Settings, paths: AppPaths) -> LibraryCare:
    """Protects the library while a new version is tried on it."""
    return LibraryCare(paths.library, home_of_key(settings, paths), keep=settings.library.backups, clock=utc_now)


def home_of_key(settings: Settings, paths: AppPaths) -> Home:
    """The place of the library's key."""
    return key_home(settings.library.key_home, paths.keys)


def key_in_file(file: SettingsFile, paths: AppPaths) -> None:
    """Keep the key of a new library in a file, unless the settings say where: servers have no keyring. Raises SettingsError."""
    said = file.raw().get("library", {})
    keys = LibraryKeys(paths.library, home_of_key(file.snapshot, paths))
    if not keys.exist and KEY_HOME not in file.overridden() and not (isinstance(said, dict) and "key_home" in said):
        file.put(KEY_HOME, KeyHome.FILE)


def worker_keys(settings: Settings, paths: AppPaths) -> Path:
    """The folder with the key of a team server's workers."""
    return Path(settings.server.worker_keys) if settings.server.worker_keys else paths.keys


def server_url(settings: Settings, paths: AppPaths) -> str:
    """Return the address of the team server's database, which answers and is fit.

    Raises ServerStopped if the database came with the program and doesn't run, ServerError.
    """
    try:
        from agent.infrastructure.store.server_database import database_url, versions_of
    except ModuleNotFoundError as error:
        raise ServerPackagesMissing from error

    try:
        url = database_url(settings, paths.data)
        versions_of(url).check()
    except DatabaseUnreachable as error:
        if settings.server.database:
            raise
        raise ServerStopped(**({"starts": 1} if is_held(paths) else {})) from error
    return url


@contextmanager
def served_library(settings: Settings, paths: AppPaths) -> Iterator[Database]:
    """Open the database of this home's team server beside it, to read: nothing is made, migrated or started.

    Raises ServerStopped if the database came with the program and doesn't run, ServerError, StoreError, KeyHomeError.
    """
    url = server_url(settings, paths)
    from agent.infrastructure.store.dialects.postgresql import PostgreSql
    from agent.infrastructure.store.server_database import Migrating, check_schema

    check_schema(url, Migrating.NONE)
    key = LibraryKeys(paths.library, home_of_key(settings, paths)).unlock()
    with closing(Database(PostgreSql(url, key))) as database:
        yield database


def backup_store(settings: Settings, paths: AppPaths) -> BackupStore:
    """The backups of the library."""
    return BackupStore(paths.library, home_of_key(settings, paths), keep=settings.library.backups)


def recovery_code(settings: Settings, paths: AppPaths) -> str:
    """The code that opens the library if its key is lost. Raises KeyHomeError, StoreError."""
    keys = LibraryKeys(paths.library, home_of_key(settings, paths))
    return keys.recovery_code(keys.unlock())


def move_key(file: SettingsFile, paths: AppPaths, to: KeyHome) -> None:
    """Write `library.key_home` and move the library's key there; without a library there is no key to move. Other secrets follow it.

    If an environment variable overrides the setting, the key stays where that says. Raises SettingsError, KeyHomeError, StoreError; then
    neither has changed.
    """
    settings = file.load()
    keys = LibraryKeys(paths.library, one_home(settings.library.key_home, paths.keys))

    def switch() -> None:
        file.put(KEY_HOME, to.value)

    if keys.exist and settings.library.key_home is not to and KEY_HOME not in file.overridden():
        note_move(paths.keys)
        keys.move(one_home(to, paths.keys), switch=switch)
    else:
        switch()
        if keys.exist and isinstance(home := home_of_key(file.snapshot, paths), MigratingSecretStore):
            home.end_move(keys.library)


def backups_of(database: Database, paths: AppPaths) -> Backups:
    """The backups by the current settings: their number may change, and the key may move, while the agent runs."""

    turn = threading.Lock()  # each run deletes leftovers of unfinished ones

    def daily(now: datetime, settings: Settings) -> None:
        with turn:
            backup_store(settings, paths).make_if_due(database, now)

    def send(now: datetime, settings: Settings) -> None:
        if not settings.backup.offsite:
            return
        from agent.server.backups.desktop import check, send_if_new

        with turn:
            try:
                send_if_new(settings, paths, home_of_key(settings, paths))
            except BackupError as error:
                log.warning("backup.not_sent", code=error.code)
                check(settings, paths, now)
                raise

    def replace(now: datetime, settings: Settings) -> None:
        with turn:
            backup_store(settings, paths).replace(database, now)

    def nothing(now: datetime, settings: Settings) -> None:
        """A server's database has backups of its own (`agent.server.backups`); copying a large one would slow down answers for minutes."""

    def drop(now: datetime, settings: Settings) -> None:
        """Earlier versions made copies of a server's library, too: they go when they would hold what was deleted."""
        with turn:
            backup_store(settings, paths).drop_all()

    if database.is_shared:
        return Backups(nothing, drop, nothing)

    return Backups(daily, replace, send)
