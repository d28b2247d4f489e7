"""Puts the uploads of a team server together: only the server imports this."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from agent.accounts.secret_words import new_id
from agent.core.config_file import SettingsFile
from agent.core.paths import AppPaths
from agent.core.settings import Settings, folder_of, root_of
from agent.store.database import Database
from agent.uploads.files import UploadFiles
from agent.uploads.queries import UploadQueries
from agent.uploads.records import GIGABYTE, MEGABYTE, Limits
from agent.uploads.service import Uploads

UPLOADS_FOLDER: Final = "uploads"


def uploads_of(database: Database, file: SettingsFile, paths: AppPaths, clock: Callable[[], datetime]) -> Uploads:
    """The uploads into the folder of the settings. Call it inside the event loop."""

    def folder() -> Path:
        return upload_folder(file.snapshot, paths)

    def watch(root: Path) -> None:
        # Not at the start: a server without uploads shows no empty folder. A library's needs an entry of its own.
        around = folder_of(str(root / "month" / "photo.jpg"), file.snapshot.folders)
        if around is None or not around.recursive or (root != folder() and around.root != root_of(str(root))):
            file.add_folder(root)

    return Uploads(UploadQueries(database), UploadFiles(folder), lambda: limits_of(file.snapshot), clock, watch, new_id)


def upload_folder(settings: Settings, paths: AppPaths) -> Path:
    return Path(settings.uploads.folder).expanduser() if settings.uploads.folder else paths.data / UPLOADS_FOLDER


def limits_of(settings: Settings) -> Limits:
    wanted = settings.uploads
    return Limits(
        wanted.file_mb * MEGABYTE, wanted.total_gb * GIGABYTE, wanted.keep_free_gb * GIGABYTE, wanted.most_unfinished, wanted.keep_days
    )
