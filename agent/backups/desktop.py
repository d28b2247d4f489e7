"""A desktop's backups in a second place: the newest one, the list of forgotten people, and the settings, by restic."""

from datetime import datetime
from pathlib import Path
from typing import Final

from agent.backups.files import CONFIG, FORGOTTEN
from agent.backups.ground import passwords_of
from agent.backups.repositories import OFFSITE, Passwords, Place, offsite_of
from agent.backups.restic import Restic
from agent.backups.scratch import clear
from agent.core.files import store_error
from agent.core.paths import AppPaths, make_private
from agent.core.settings import Settings
from agent.domain.errors import OffsiteNotSet, RepositoryEmpty, RestoreHomeTaken
from agent.people.forgotten import ForgottenFile
from agent.store.backup import Backup, BackupStore
from agent.store.key_homes import Home
from agent.store.opening import BACKUPS_FOLDER, DATABASE_FILE

LIBRARY: Final = "library"
_KEEP_DAYS: Final = 28
_STAGE, _GONE = "fetching", "gone"


def send(settings: Settings, paths: AppPaths, home: Home) -> tuple[int, int]:
    """Send the newest backup; returns its bytes, and those that were new there. Raises BackupError, StoreError, KeyHomeError."""
    place = offsite_of(settings, home)
    if place is None:
        raise OffsiteNotSet
    restic = Restic(place, passwords_of(paths.library, home), paths.cache / "restic", OFFSITE)
    restic.prepare()
    newest = BackupStore(paths.library, home, keep=1).list()[:1]
    size, stored = restic.back_up(paths.library / BACKUPS_FOLDER, [each.name for each in newest], LIBRARY)
    restic.back_up(paths.config, ["settings.toml"], CONFIG)
    restic.back_up(paths.data, [FORGOTTEN], _GONE)
    restic.expire(_KEEP_DAYS)
    return size, stored


def holds_desktop(restic: Restic) -> bool:
    """Return whether the repository is a desktop's. Raises BackupError."""
    return any(each.tag == LIBRARY for each in restic.snapshots())


def fetch(place: Place, code: str, paths: AppPaths, home: Home, now: datetime) -> Backup:
    """Restore the newest backup there into a home without a library. Forgotten people are forgotten again at the first start.

    Raises RestoreHomeTaken, RepositoryEmpty, BackupError, StoreError, KeyHomeError; then there is no library here.
    """
    if (paths.library / DATABASE_FILE).exists():
        raise RestoreHomeTaken
    restic = Restic(place, Passwords.of(code), paths.cache / "restic", OFFSITE)
    stage = paths.data / _STAGE
    clear(stage)
    newest: dict[str, str] = {}
    for each in restic.snapshots():
        newest.setdefault(each.tag, each.id)
    if LIBRARY not in newest:
        raise RepositoryEmpty
    make_private(stage)
    restic.restore(newest[LIBRARY], stage / LIBRARY)
    if _GONE in newest:
        restic.restore(newest[_GONE], stage)
        ForgottenFile(paths.data / FORGOTTEN).add(sorted(ForgottenFile(stage / FORGOTTEN).read()))
    store = BackupStore(paths.library, home, keep=1)
    make_private(paths.library)
    make_private(paths.library / BACKUPS_FOLDER)
    try:
        for folder in (stage / LIBRARY).iterdir():
            _put(folder, paths.library / BACKUPS_FOLDER / folder.name)
    except OSError as error:
        raise store_error(error) from error
    found = next(iter(store.list()), None)
    if found is None:
        raise RepositoryEmpty
    store.keys(found).recover(code)
    restored = store.restore(found, now)
    clear(stage)
    return restored


def _put(source: Path, target: Path) -> None:
    clear(target)
    source.rename(target)
