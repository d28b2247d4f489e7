"""Backups of the library: encrypted copies with their keys file. Each is verified before it counts, and the newest few are kept."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import column, func, select, table

from agent.domain.errors import BackupDamaged, BackupMissing, KeyHomeError, StoreDamaged, StoreError, StoreKeyMissing, StoreKeyWrong
from agent.infrastructure.core.files import replace_file, store_error, sync_file, sync_folder, write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.backup_dates import newest_first
from agent.infrastructure.store.backup_diff import RestoreLoss, newer, restore_loss
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.integrity import Soundness
from agent.infrastructure.store.keys import KEYS_FILE, LibraryKeys
from agent.infrastructure.store.migrator import BEFORE_UPGRADE, schema_state
from agent.infrastructure.store.open_library import BACKUPS_FOLDER, DATABASE_FILE
from agent.infrastructure.store.schema import image
from agent.infrastructure.store.secret_stores import Home


def check_copy(path: Path, key: bytes) -> int:
    """Read every page of the copy, even of an older version; returns its number of images. Raises StoreDamaged, StoreUnwritable."""
    database = Database.in_file(path, key, read_only=True)
    try:
        if not database.sound():
            raise StoreDamaged
        with database.read() as tx:
            tables: list[str] = list(tx.scalars(select(column("name")).select_from(table("sqlite_master"))))
            if "image" not in tables:  # an empty file is a sound database
                raise StoreDamaged
            return tx.scalar(select(func.count()).select_from(table("image"))) or 0
    finally:
        database.close()


EVERY = timedelta(days=1)
_NAME = "%Y-%m-%dT%H%M%SZ"
_ASIDE = "damaged-"
NEWER = "newer-"  # the library of a newer version that was rolled back
_UNFINISHED = ".unfinished-"  # being written or deleted: never listed


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup; `name` is its time, UTC, and its folder's name."""

    path: Path
    at: datetime
    size: int  # bytes

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class RestoreOffer:
    """The newest intact backup, and what the library got since: a restore loses that."""

    backup: Backup
    photos: int  # in the backup
    newer: tuple[int, int] | None  # photos scanned and edits of people since; None if the damaged part hides them


class BackupStore:
    """The backups of the library in `folder`, in its folder `backups`."""

    def __init__(self, folder: Path, home: Home, *, keep: int, clock: Callable[[], datetime] = utc_now) -> None:
        """`keep` is the number of backups left after making a new one; with 0, none is ever due."""
        self._folder = folder
        self._home = home
        self._keep = keep
        self._clock = clock
        self._backups = folder / BACKUPS_FOLDER

    @property
    def is_lost(self) -> bool:
        """Whether neither the library nor its keys are there."""
        return not (self._folder / KEYS_FILE).exists() and not self._live().exists()

    def due(self, now: datetime) -> bool:
        """Whether the last day has no backup."""
        return self._keep > 0 and not any(now - EVERY < backup.at <= now for backup in self.list())

    def make_if_due(self, database: Database, now: datetime) -> Backup | None:
        """Make the daily backup unless it exists. Raises as `create`."""
        return self.create(database, now) if self.due(now) else None

    def list(self) -> list[Backup]:
        """All backups, newest first. They may be damaged: `verify` tells."""
        return newest_first(self._found(), self._clock())

    def _found(self) -> Iterator[Backup]:
        for path in self._backups.glob("[!.]*/"):
            with suppress(ValueError, OSError):  # not a backup
                at = datetime.strptime(path.name, _NAME).replace(tzinfo=UTC)
                yield Backup(path, at, (path / DATABASE_FILE).stat().st_size)

    def get(self, name: str) -> Backup:
        """Raises BackupMissing."""
        for backup in self.list():
            if backup.name == name:
                return backup
        raise BackupMissing

    def create(self, database: Database, now: datetime, *, keep: int | None = None) -> Backup:
        """Make and verify a new backup, then delete all but the newest few; the library may stay in use.

        `keep=1` keeps only the new one, for when older ones hold deleted data. Raises StoreError, KeyHomeError; then no part of the new
        backup remains and the older ones are unchanged.
        """
        at = now.astimezone(UTC).replace(microsecond=0)
        while (self._backups / at.strftime(_NAME)).exists():
            at += timedelta(seconds=1)
        finished = self._backups / at.strftime(_NAME)
        unfinished = finished.with_name(_UNFINISHED + finished.name)
        make_private(self._backups)
        self._sweep()
        try:
            make_private(unfinished)
            database.copy_to(unfinished / DATABASE_FILE)
            write_private(unfinished / KEYS_FILE, (self._folder / KEYS_FILE).read_bytes())
            sync_file(unfinished / DATABASE_FILE)
            self._check(unfinished)
            replace_file(unfinished, finished)
            sync_folder(self._backups)
            self._prune(finished, max(1, self._keep if keep is None else keep), now)
        except OSError as error:
            raise store_error(error) from error
        finally:
            self._sweep()
        return self.get(finished.name)

    def replace(self, database: Database, now: datetime) -> None:
        """Replace all backups, if there are any, by one without deleted data, and delete copies put aside. Raises as `create`.

        Deleted data may still be in the library's own log, after a concurrent read or a kill: it is emptied too.
        """
        database.flush()
        if self.list():
            self.create(database, now, keep=1)
        self.drop_aside()

    def drop_all(self) -> None:
        """Delete all backups, and copies put aside. Raises StoreError."""
        for each in self.list():
            self.drop(each.name)
        self.drop_aside()

    def drop_aside(self) -> None:
        """Delete the copies that a restore or an upgrade put aside: their content is unknown. Raises StoreError."""
        try:
            for aside in (*self._folder.glob(f"{_ASIDE}*/"), *self._folder.glob(f"{NEWER}*/")):
                shutil.rmtree(aside)
            for copy in self._folder.glob(f"{DATABASE_FILE}.{BEFORE_UPGRADE}*"):
                copy.unlink()
            sync_folder(self._folder)
        except OSError as error:
            raise store_error(error) from error

    def drop(self, name: str) -> None:
        """Delete a backup if it exists. Raises StoreError."""
        path = self._backups / name
        try:
            if path.is_dir():
                replace_file(path, path.with_name(_UNFINISHED + name))
        except OSError as error:
            raise store_error(error) from error
        finally:
            self._sweep()

    def verify(self, backup: Backup) -> int:
        """Read the whole backup; returns its number of images. Raises BackupDamaged, StoreKeyMissing, KeyHomeError."""
        try:
            return self._check(backup.path)
        except StoreDamaged as error:
            raise BackupDamaged from error

    def photos_at_risk(self) -> int | None:
        """The number of photos in the current library if it is intact; None if a restore could not lose any."""
        if not self._live().exists():
            return None
        try:
            return self._check(self._folder)
        except (StoreError, KeyHomeError):
            return None

    def loss(self, backup: Backup) -> RestoreLoss | None:
        """What a restore would lose; None if the two can't be compared."""
        if not self._live().exists():
            return RestoreLoss()
        try:
            with closing(self._read(self._folder)) as library, closing(self._read(backup.path)) as copy:
                return restore_loss(library, copy)
        except (StoreError, KeyHomeError):
            return None

    def keys(self, backup: Backup) -> LibraryKeys:
        """The backup's own keys: `recover` works with them even if the library's are gone."""
        return LibraryKeys(backup.path, self._home)

    def restore(self, backup: Backup | None, now: datetime, *, aside: str = _ASIDE) -> Backup:
        """Replace the library with a backup, by default the newest intact one. The previous library is kept as `<aside><time>`.

        The library must be closed everywhere: the caller holds the instance's lock. Raises BackupMissing, BackupDamaged, StoreTooOld,
        StoreError, KeyHomeError, and then leaves the library unchanged. A crash leaves either the old database or the new one.
        """
        chosen = self.newest_good() if backup is None else backup
        self.verify(chosen)
        with closing(self._read(chosen.path)) as copy:
            schema_state(copy).refuse_too_old()
        staged = self._folder / f"{_UNFINISHED}{DATABASE_FILE}"
        try:
            shutil.copyfile(chosen.path / DATABASE_FILE, staged)
            sync_file(staged)
            self._put_aside(now, aside)
            self._settle()
            # The old write-ahead log must be gone before the new database arrives: SQLite would apply it.
            for suffix in ("-wal", "-shm"):
                self._live(suffix).unlink(missing_ok=True)
            sync_folder(self._folder)
            replace_file(staged, self._live())
            sync_folder(self._folder)
            Soundness(self._folder).forget()
            AuditAnchor(self._folder).forget()  # the restored record is shorter, by its owner's will
            if not self._same_keys(chosen):
                write_private(self._folder / KEYS_FILE, (chosen.path / KEYS_FILE).read_bytes())
        except OSError as error:
            raise store_error(error) from error
        finally:
            staged.unlink(missing_ok=True)
        return chosen

    def _read(self, folder: Path) -> Database:
        return Database.in_file(folder / DATABASE_FILE, LibraryKeys(folder, self._home).unlock(), read_only=True)

    def _check(self, folder: Path) -> int:
        return check_copy(folder / DATABASE_FILE, LibraryKeys(folder, self._home).unlock())

    def newest_good(self) -> Backup:
        """The newest backup that is fully readable. Raises BackupMissing, or BackupDamaged if none is."""
        backups = self.list()
        if not backups:
            raise BackupMissing
        for backup in backups:
            try:
                self.verify(backup)
            except BackupDamaged:
                continue
            return backup
        raise BackupDamaged

    def offer(self, library: Database | None) -> RestoreOffer:
        """The backup that would replace `library`, None if that can't be opened. Raises BackupMissing, BackupDamaged, KeyHomeError."""
        chosen = self.newest_good()
        with closing(self._read(chosen.path)) as backup:
            with backup.read() as tx:
                photos = tx.scalar(select(func.count()).select_from(image)) or 0
            return RestoreOffer(chosen, photos, None if library is None else newer(library, backup))

    def unopened(self) -> StoreError:
        """Return the error of a library that can't be opened: it names the backup to restore, if one is intact.

        Without their key, nothing is known of the backups: then that is what is missing.
        """
        try:
            offer = self.offer(None)
        except StoreKeyMissing as error:
            return error
        except (StoreError, KeyHomeError):
            return StoreDamaged(lost=1)
        return StoreDamaged(unopened=f"{offer.backup.at.astimezone():%Y-%m-%d %H:%M}", photos=offer.photos)

    def _put_aside(self, now: datetime, prefix: str) -> None:
        aside = self._folder / f"{prefix}{now.astimezone(UTC).strftime(_NAME)}"
        make_private(aside)
        for file in (self._live(), self._live("-wal"), self._live("-shm"), self._folder / KEYS_FILE):
            if file.exists():
                shutil.copy2(file, aside / file.name)
                sync_file(aside / file.name)
        sync_folder(aside)

    def _settle(self) -> None:
        """Move what the library's write-ahead log holds into its file, so that a crash between both loses nothing; a damaged one stays."""
        if self._live().exists():
            with suppress(StoreError, KeyHomeError), closing(Database.in_file(self._live(), self._key())) as library:
                library.flush()

    def _key(self) -> bytes:
        return LibraryKeys(self._folder, self._home).unlock()

    def _same_keys(self, backup: Backup) -> bool:
        """Whether the library's own keys open the backup's database."""
        try:
            return LibraryKeys(self._folder, self._home).unlock() == self.keys(backup).unlock()
        except (StoreDamaged, StoreKeyMissing, StoreKeyWrong):
            return False

    def _live(self, suffix: str = "") -> Path:
        return self._folder / (DATABASE_FILE + suffix)

    def _prune(self, made: Path, keep: int, now: datetime) -> None:
        # The new backup stays regardless of its time: after the clock was set back, older ones have later times.
        others = [backup for backup in self._found() if backup.path != made]
        for old in newest_first(others, now)[keep - 1 :]:
            # Renamed first: a partly deleted backup must not look like a backup.
            replace_file(old.path, old.path.with_name(_UNFINISHED + old.name))

    def _sweep(self) -> None:
        for path in self._backups.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(path, ignore_errors=True)
