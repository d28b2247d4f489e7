"""Which files of a server go with its database: without the key that opens the library, and without what is made again."""

from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Final

from agent.infrastructure.core.paths import AppPaths, make_private
from agent.infrastructure.core.settings import Settings
from agent.server.backups.restic import Restic

DATA, CONFIG, UPLOADS = "data", "config", "uploads"
FORGOTTEN, WITHDRAWN, RECORDS = "forgotten", "withdrawn", "records"
_OWN: Final = ("uploads", "copies", RECORDS, "certificates")
_NAMES: Final = (*_OWN, "library/library.keys", "postgres/address", FORGOTTEN, WITHDRAWN, "record-head")


@dataclass(frozen=True, slots=True)
class FileSet:
    tag: str
    folder: Path
    names: tuple[str, ...]
    exclude: tuple[str, ...] = ()


def file_sets(settings: Settings, paths: AppPaths) -> list[FileSet]:
    """Return what is backed up. Key files stay out: the recovery code makes them again."""
    sets = [FileSet(DATA, paths.data, _NAMES), FileSet(CONFIG, paths.config, ("settings.toml",))]
    if settings.uploads.folder:
        sets.append(FileSet(UPLOADS, Path(settings.uploads.folder).expanduser().absolute(), (".",)))
    return sets


def back_up_files(restic: Restic, sets: list[FileSet]) -> tuple[int, int]:
    """Take a snapshot of each; returns the bytes, and those that were added. Raises BackupError."""
    restic.prepare()
    sizes = [restic.back_up(each.folder, each.names, each.tag, each.exclude) for each in sets]
    return sum(size for size, _ in sizes), sum(stored for _, stored in sizes)


def put_settings(restored: Path, paths: AppPaths) -> None:
    """Put restored settings in place; those that were there stay beside, and so do those of earlier restores. Raises OSError."""
    if not restored.exists():
        return
    make_private(paths.config)
    if paths.settings.exists():
        endings = chain(["before-restore"], (f"before-restore-{number}" for number in count(2)))
        beside = (paths.settings.with_name(f"{paths.settings.name}.{ending}") for ending in endings)
        paths.settings.replace(next(each for each in beside if not each.exists()))
    restored.replace(paths.settings)
