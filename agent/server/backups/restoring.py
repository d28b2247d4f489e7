"""Restores a server on an empty host: staged beside, complete and checked, before anything is put in place."""

import os
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select

from agent.domain.errors import BackupDatabaseElsewhere, RepositoryEmpty, RestoreHomeTaken, RestoreInterrupted, RestoreLogBroken, StoreError
from agent.features.consent.queries import ConsentQueries
from agent.features.people.erasure_list import ErasureList
from agent.features.people.queries.people_queries import PeopleQueries
from agent.infrastructure.core.config_environment import of_section
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.files import store_error, sync_folder, write_private
from agent.infrastructure.core.paths import AppPaths, make_private
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import ADDRESS_FILE
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED
from agent.infrastructure.store.keys import LibraryKeys
from agent.infrastructure.store.postgres_programs import account
from agent.infrastructure.store.schema import audit, image, person
from agent.infrastructure.store.secret_stores import Home, key_home
from agent.infrastructure.store.server_database import POSTGRES_FOLDER, server_database
from agent.server.backups.configuration import archive
from agent.server.backups.drill import sums
from agent.server.backups.file_sets import CONFIG, DATA, FORGOTTEN, UPLOADS, WITHDRAWN, put_settings
from agent.server.backups.pgbackrest import program
from agent.server.backups.repositories import DATABASE_FOLDER, Place, RepositoryFolder, RepositoryPasswords
from agent.server.backups.restic import Restic, newest_of_each
from agent.server.backups.runner import DUE
from agent.server.backups.scratch_database import clear, restored
from agent.server.backups.withdrawal_list import WithdrawnFile

STAGE, READY = "restoring", "ready"
RESTORE_LOG: Final = "restore.log"


@dataclass(frozen=True, slots=True)
class RestoredServer:
    """What stands here now. `forgotten` and `withdrawn` were applied again: the moment restored did not know of them."""

    photos: int
    people: int
    rows: int
    until: datetime | None  # the newest entry of the record
    forgotten: int
    withdrawn: int


def check_empty(settings: Settings, paths: AppPaths) -> None:
    """Raises RestoreHomeTaken, BackupDatabaseElsewhere."""
    if settings.server.database:
        raise BackupDatabaseElsewhere
    if (paths.data / POSTGRES_FOLDER).exists() or (paths.library.exists() and any(paths.library.iterdir())):
        raise RestoreHomeTaken


class Restoring:
    """All methods block. Raise BackupError, StoreError, KeyHomeError, and then nothing is in place."""

    def __init__(self, place: Place, code: str, settings: Settings, paths: AppPaths, clock: Callable[[], datetime]) -> None:
        """`code` is the recovery code of the library that was backed up. Raises StoreRecoveryCodeWrong."""
        self._place = place
        self._code = code
        self._passwords = RepositoryPasswords.of(code)
        self._settings = settings
        self._paths = paths
        self._clock = clock
        self._stage = paths.data / STAGE

    def run(self, to: datetime | None) -> RestoredServer:
        """Restore the newest moment, or the one named, and put it in place."""
        check_empty(self._settings, self._paths)
        _clear(self._stage)
        try:
            self._files()
            home = key_home(self._restored_settings().library.key_home, self._paths.keys)
            found = self._database(to, home)
            (self._stage / DATA / "record-head").unlink(missing_ok=True)  # a restored record may be shorter, by its owner's will
            write_private(self._stage / DATA / DUE, b"")
            write_private(self._stage / READY, b"")
        except BaseException as error:
            with suppress(StoreError):
                _clear(self._stage)  # it may be what fills the disk
            if isinstance(error, OSError):
                raise store_error(error) from error
            raise
        finish(self._paths)
        return found

    def _files(self) -> None:
        restic = Restic(self._place, self._passwords, self._paths.cache / "restic", where="")
        newest = newest_of_each(restic.snapshots(), self._clock())
        if DATA not in newest:
            raise RepositoryEmpty
        for tag in (DATA, CONFIG, UPLOADS):
            make_private(self._stage / tag)
            if tag in newest:
                restic.restore(newest[tag], self._stage / tag)

    def _restored_settings(self) -> Settings:
        # Where a variable says where the key is kept, the server here will look for it there.
        return SettingsFile(self._stage / CONFIG / "settings.toml", of_section("library", os.environ)).load()

    def _database(self, to: datetime | None, home: Home) -> RestoredServer:
        stage = self._stage / DATA
        keys = LibraryKeys(stage / "library", home)
        keys.recover(self._code)
        postgres = stage / POSTGRES_FOLDER
        address = (postgres / ADDRESS_FILE).read_text(encoding="utf-8")
        words = ["--type=default"]
        if to is not None:
            words = ["--type=time", f"--target={to.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f+00}", "--target-action=promote"]
        _own(self._place)
        log = archive(program(), self._settings.backup, self._passwords, (self._place,))
        with (
            restored(postgres, self._paths.logs / RESTORE_LOG, log, address, 1, words) as there,
            closing(server_database(there.url, stage / "library", home)) as database,
        ):
            if to is None and not there.log_read:
                raise RestoreLogBroken(until=_reached(database))
            return self._mended(database, there.url)

    def _mended(self, database: Database, url: str) -> RestoredServer:
        """Forget and withdraw again what happened after this moment."""
        people, now = PeopleQueries(database), self._clock()
        uids, forgotten = ErasureList(self._stage / DATA / FORGOTTEN).read(), 0
        while uids and (there := people.people_by_uids(uids)):
            people.forget_person(there[0], now=now, note=BACKUPS_HOLD_PURGED)
            forgotten += 1
        withdrawn = WithdrawnFile(self._stage / DATA / WITHDRAWN, ConsentQueries(database)).apply(now)
        with database.read() as tx:
            until = tx.scalar(select(func.max(audit.c.at)).where(audit.c.at < now))
            photos, known = (tx.scalar(select(func.count()).select_from(each)) or 0 for each in (image, person))
        rows = sum(count for count, _ in sums(url).values())
        with database.write(durable=True) as tx:
            audit_log.add(tx, "restored", None, photos, now)
        return RestoredServer(photos, known, rows, until, forgotten, withdrawn)


def _reached(database: Database) -> str:
    """Return the last moment that the log reached, as `--to` takes it: by this computer's clock. Raises StoreError."""
    with database.read() as tx:
        last: datetime | None = tx.scalar(select(func.pg_last_xact_replay_timestamp()))
        last = last or tx.scalar(select(func.max(audit.c.at)))
    return f"{last.astimezone():%Y-%m-%dT%H:%M:%S}" if last else ""


def finish(paths: AppPaths) -> None:
    """Put a complete restore in place, the database last; again after an interruption. Does nothing without one.

    Raises StoreError, and RestoreInterrupted for one that is not complete: an empty server must not take its place.
    """
    stage = paths.data / STAGE
    if not (stage / READY).exists():
        if stage.exists() and not (paths.data / POSTGRES_FOLDER).exists():
            raise RestoreInterrupted
        return
    try:
        put_settings(stage / CONFIG / "settings.toml", paths)
        uploads = stage / UPLOADS
        if uploads.exists() and any(uploads.iterdir()):
            target = SettingsFile(paths.settings, environ={}).load().uploads.folder
            _merge(uploads, Path(target).expanduser().absolute())
        entries = [each for each in sorted((stage / DATA).iterdir()) if each.name != POSTGRES_FOLDER] if (stage / DATA).exists() else []
        for each in entries:
            _merge(each, paths.data / each.name)
        if (stage / DATA / POSTGRES_FOLDER).exists():
            (stage / DATA / POSTGRES_FOLDER).replace(paths.data / POSTGRES_FOLDER)
        sync_folder(paths.data)
    except OSError as error:
        raise store_error(error) from error
    clear(stage)


def _clear(stage: Path) -> None:
    clear(stage / DATA / POSTGRES_FOLDER)
    clear(stage)


def _merge(source: Path, target: Path) -> None:
    """Move a file or a folder's content; what is there under the same name is replaced."""
    if not source.is_dir():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        source.replace(target)
        return
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in source.iterdir():
        _merge(each, target / each.name)
    source.rmdir()


def _own(place: Place) -> None:
    """Let PostgreSQL's user read a repository that was copied here, where the program itself is root."""
    owner = account()
    if owner is None or not isinstance(place, RepositoryFolder) or sys.platform == "win32":
        return
    try:
        for folder, _, names in os.walk(place.path / DATABASE_FOLDER):
            for name in (".", *names):
                owner.own(Path(folder) / name)
    except OSError as error:
        raise store_error(error) from error
