"""Puts the uploads of a team server together: only the server imports this."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings, folder_of, root_of
from agent.infrastructure.store.database import Database
from agent.server.accounts.secret_tokens import new_id
from agent.server.libraries.records import REST
from agent.server.libraries.service import Libraries
from agent.server.uploads.partial_files import LET_GO
from agent.server.uploads.queries import UploadQueries
from agent.server.uploads.records import GIGABYTE, MEGABYTE, Limits
from agent.server.uploads.service import Uploads
from agent.server.uploads.upload_files import UploadFiles

UPLOADS_FOLDER: Final = "uploads"


def uploads_of(
    database: Database,
    libraries: Libraries,
    file: SettingsFile,
    paths: AppPaths,
    clock: Callable[[], datetime],
    tell: Callable[[str, str], None],
) -> Uploads:
    """The uploads into the folder of the settings. Call it inside the event loop."""
    files = upload_files(file, paths)
    watched = WatchedUploads(libraries, file)
    return Uploads(UploadQueries(database), files, lambda: limits_of(file.snapshot), clock, watched, new_id, partial(tell, LET_GO))


def upload_files(file: SettingsFile, paths: AppPaths) -> UploadFiles:
    return UploadFiles(lambda: upload_folder(file.snapshot, paths))


class WatchedUploads:
    """Each library's uploads are in a watched folder of its own. It is watched once something arrives: others would be empty."""

    def __init__(self, libraries: Libraries, file: SettingsFile) -> None:
        self._libraries = libraries
        self._file = file

    def libraries(self) -> Sequence[tuple[int, str]]:
        return [(each.id, each.name) for each in self._libraries.all]

    async def watch(self, root: Path, library: int | None) -> None:
        path = root_of(str(root))
        around = folder_of(f"{path}/month/photo.jpg", self._file.snapshot.folders)
        if around is None or around.root != path:
            await asyncio.to_thread(self._file.add_folder, root)
        found = next((each for each in self._libraries.all if each.id == library), None)
        if found is not None and not {path, REST} & set(found.sources):
            await self._libraries.put_source(found.id, path)


def upload_folder(settings: Settings, paths: AppPaths) -> Path:
    return Path(settings.uploads.folder).expanduser() if settings.uploads.folder else paths.data / UPLOADS_FOLDER


def limits_of(settings: Settings) -> Limits:
    wanted = settings.uploads
    return Limits(
        wanted.file_mb * MEGABYTE, wanted.total_gb * GIGABYTE, wanted.keep_free_gb * GIGABYTE, wanted.most_unfinished, wanted.keep_days
    )
