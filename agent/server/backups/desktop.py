"""A desktop's backups in a second place: the newest one, the list of forgotten people, records that moved, and the settings, by restic."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from agent.domain.errors import OffsiteLate, OffsiteNotSet, RepositoryEmpty, RestoreHomeTaken
from agent.features.people.erasure_list import ErasureList
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.files import store_error, sync_folder, write_private
from agent.infrastructure.core.paths import AppPaths, make_private
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.backup import Backup, BackupStore
from agent.infrastructure.store.backup_dates import is_future
from agent.infrastructure.store.open_library import BACKUPS_FOLDER
from agent.infrastructure.store.secret_stores import Home, key_home
from agent.server.backups.context import passwords_of
from agent.server.backups.file_sets import CONFIG, FORGOTTEN, RECORDS, put_settings
from agent.server.backups.repositories import OFFSITE, Place, RepositoryPasswords, offsite_of
from agent.server.backups.restic import Restic, newest_of_each
from agent.server.backups.scratch_database import clear

LIBRARY: Final = "library"
_KEEP_DAYS: Final = 7  # each backup is encrypted anew, so that each is sent and kept whole
_LATE: Final = timedelta(days=2)  # one is sent every day
_GONE, _STAGE, _SENT = "gone", "fetching", "offsite-sent"


def send(settings: Settings, paths: AppPaths, home: Home, *, verify: bool = False) -> tuple[int, int]:
    """Send the newest backup; returns its bytes, and those that were new there. With `verify`, read a part of the repository back.

    Raises BackupError, StoreError, KeyHomeError.
    """
    place = offsite_of(settings, home)
    if place is None:
        raise OffsiteNotSet
    restic = Restic(place, passwords_of(paths.library, home), paths.cache / "restic", OFFSITE)
    restic.prepare(used=sent_at(settings, paths) is not None)
    mark = _mark(settings, paths, home)
    newest = BackupStore(paths.library, home, keep=1).list()[:1]
    restic.back_up(paths.config, ["settings.toml"], CONFIG)
    restic.back_up(paths.data, [FORGOTTEN, RECORDS], _GONE)
    size, stored = restic.back_up(paths.library / BACKUPS_FOLDER, [each.name for each in newest], LIBRARY)
    restic.expire(_KEEP_DAYS, utc_now())
    if verify:
        restic.verify(whole=False)
    try:
        write_private(paths.data / _SENT, mark)
    except OSError as error:
        raise store_error(error) from error
    return size, stored


def send_if_new(settings: Settings, paths: AppPaths, home: Home) -> None:
    """Send the newest backup unless it was: a failed one is sent later. Raises as `send`."""
    if settings.backup.offsite and _sent(paths) != _mark(settings, paths, home):
        send(settings, paths, home)


def sent_at(settings: Settings, paths: AppPaths) -> datetime | None:
    """Return when the second place of the settings got the last backup; None if it never did. Raises StoreError."""
    if _sent(paths).partition(b"\n")[0] != settings.backup.offsite.encode():
        return None
    return datetime.fromtimestamp((paths.data / _SENT).stat().st_mtime, UTC)


def check(settings: Settings, paths: AppPaths, now: datetime) -> datetime:
    """Return when the second place got the last backup. Raises OffsiteNotSet, OffsiteLate, StoreError."""
    if not settings.backup.offsite:
        raise OffsiteNotSet
    at = sent_at(settings, paths)
    if at is None or is_future(at, now):
        raise OffsiteLate
    if now - at > _LATE:
        raise OffsiteLate(at=f"{at.astimezone():%Y-%m-%d %H:%M}")
    return at


def holds_desktop(restic: Restic) -> bool:
    """Return whether the repository is a desktop's. Raises BackupError."""
    return any(each.tag == LIBRARY for each in restic.snapshots())


def fetch(place: Place, code: str, paths: AppPaths, now: datetime, moment: datetime | None = None) -> Backup:
    """Restore the newest backup there, or the newest until `moment`, into a home without a library, with the newest settings and list of
    forgotten people: these are forgotten again at the first start.

    All is made ready beside, and the library is put in place last. Raises RestoreHomeTaken, RepositoryEmpty, BackupError, StoreError,
    KeyHomeError; then there is no library here, and the call can be repeated.
    """
    if paths.library.exists() and any(paths.library.iterdir()):
        raise RestoreHomeTaken
    restic = Restic(place, RepositoryPasswords.of(code), paths.cache / "restic", OFFSITE)
    there = [each for each in restic.snapshots() if each.tag != LIBRARY or moment is None or each.at <= moment]
    newest = newest_of_each(there, now)
    if LIBRARY not in newest:
        raise RepositoryEmpty
    stage = paths.data / _STAGE
    clear(stage)
    library, backups = stage / LIBRARY, stage / LIBRARY / BACKUPS_FOLDER
    for tag, folder in ((LIBRARY, backups), (CONFIG, stage / CONFIG), (_GONE, stage / _GONE)):
        make_private(folder)
        if tag in newest:
            restic.restore(newest[tag], folder)
    settings = stage / CONFIG / "settings.toml"
    effective = SettingsFile(settings if settings.exists() else paths.settings).load()
    store = BackupStore(library, key_home(effective.library.key_home, paths.keys), keep=1)
    found = next(iter(store.list()), None)
    if found is None:
        raise RepositoryEmpty
    store.keys(found).recover(code)
    restored = store.restore(found, now)
    ErasureList(paths.data / FORGOTTEN).add(sorted(ErasureList(stage / _GONE / FORGOTTEN).read()))
    _put(settings, library, stage / _GONE / RECORDS, paths)
    clear(stage)
    return restored


def _put(settings: Path, library: Path, records: Path, paths: AppPaths) -> None:
    try:
        for each in sorted(records.glob("*")):  # the record in the library names them
            make_private(paths.data / RECORDS)
            each.replace(paths.data / RECORDS / each.name)
        put_settings(settings, paths)
        if paths.library.exists():
            paths.library.rmdir()  # an empty one
        library.rename(paths.library)
        sync_folder(paths.data)
    except OSError as error:
        raise store_error(error) from error


def _sent(paths: AppPaths) -> bytes:
    """Return the mark of what was sent last; empty before the first."""
    try:
        return (paths.data / _SENT).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise store_error(error) from error


def _mark(settings: Settings, paths: AppPaths, home: Home) -> bytes:
    """Return what is to be sent, and where."""
    names = [each.name for each in BackupStore(paths.library, home, keep=1).list()[:1]]
    return "\n".join([settings.backup.offsite, *names]).encode()
