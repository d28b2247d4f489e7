"""Routes of the watched folders: the list, their switches, and the effect of watching one."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePath

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from agent.domain.errors import AgentError, SourceMissing, SourceNoAccess
from agent.domain.image import FileSeen
from agent.domain.path_text import printable
from agent.features.library.counters import Counters
from agent.features.library.folder_schemas import ChosenFolder, Estimate, FolderChange, FolderPath, FolderRemoved
from agent.features.library.ingest import Ingest
from agent.features.library.new_folder_priority import newest, note_first
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.schemas import FolderOut, SubfolderOut
from agent.features.library.watched_folders import resolve_root
from agent.infrastructure.core.abandonable_calls import ANSWER_S, call_with_timeout, cancellable
from agent.infrastructure.core.access_scope import shown_path, within_reach
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.settings import Folder, Settings, folder_of, root_of
from agent.infrastructure.sources.folder.folder_scan import walk_images
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.streaming import NdjsonResponse
from agent.interfaces.web.ui_port import UiPort
from agent.interfaces.web.version_cache import VersionedCache

COUNT_STEP_S = 0.3
MOST_FOLDERS_KEPT = 500
# Before this machine has scanned anything: two photos a second for each of a few engine processes, as on an ordinary one.
USUAL_RATE = 5.0


def folder_list_routes(
    api: FastAPI,
    library: LibraryQueries,
    ingest: Ingest,
    settings: Callable[[], Settings],
    texts: Callable[[], Texts],
    rest: MemoryTrimmer,
    folder_name: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Add the routes to `api`. `folder_name` returns what a folder is to be called, if not by its own name."""

    def out(folder: Folder, problem: AgentError | None) -> FolderOut:
        root = folder.root
        return FolderOut.of(folder, folder_name(root), counts.get(root, partial(library.count_below, root)), problem, texts())

    counts: VersionedCache[int] = VersionedCache(library.version, MOST_FOLDERS_KEPT)
    rest.also(counts.forget)

    @api.get("/api/folders", openapi_extra=needs(Scope.PHOTOS_READ))
    async def folders() -> tuple[FolderOut, ...]:
        problems = ingest.folder_problems

        def read() -> tuple[FolderOut, ...]:
            return tuple(out(each, problems.get(each.root)) for each in settings().folders if within_reach(each.root))

        return await asyncio.to_thread(read)

    inside: VersionedCache[dict[str, tuple[int, bool]]] = VersionedCache(library.version, MOST_FOLDERS_KEPT)
    rest.also(inside.forget)

    @api.get("/api/folders/inside", openapi_extra=needs(Scope.PHOTOS_READ))
    async def folders_inside(path: str) -> tuple[SubfolderOut, ...]:
        """Return the folders with images directly inside a watched folder, or inside one of its subfolders. Invalid names are left out."""
        root = resolve_root(path, settings().folders)
        found = await asyncio.to_thread(inside.get, root, partial(library.folders_inside, root))
        return tuple(
            SubfolderOut(path=shown_path(path), name=PurePath(path).name, images=images, nested=nested)
            for path, (images, nested) in found.items()
            if printable(path) == path
        )


def folder_routes(
    api: FastAPI, file: SettingsFile, library: LibraryQueries, ingest: Ingest, desk: UiPort, texts: Callable[[], Texts]
) -> None:
    """Add the routes to `api`."""
    looks = BackgroundTasks()

    def root(path: str) -> str:
        return resolve_root(path, file.snapshot.folders)

    @api.post("/api/folders", status_code=204, openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def add(body: FolderChange) -> None:
        """Add a folder with its switches, so that one that is watched again has its old ones; omitted ones get their defaults."""
        folder = await readable_folder(body.path)
        switches = _switches(body)
        await asyncio.to_thread(file.add_folder, Path(folder), switches)
        if not switches:
            looks.start(_newest_first(file, ingest, folder))

    @api.patch("/api/folders", status_code=204, openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def change(body: FolderChange) -> None:
        await asyncio.to_thread(file.change_folder, root(body.path), _switches(body))

    @api.post("/api/folders/check", status_code=204, openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def check(body: FolderChange) -> None:
        """Check this change without making it."""
        file.check_folder(root(body.path), _switches(body))

    @api.delete("/api/folders", openapi_extra=needs(Scope.SETTINGS_WRITE))
    async def remove(path: str, dry_run: bool = False) -> FolderRemoved:
        """Stop watching a folder; with `dry_run`, only return what that would do."""
        folder = root(path)
        photos = await asyncio.to_thread(_leaving, file, library, folder)
        if not dry_run:
            await asyncio.to_thread(file.remove_folder, folder)
        return FolderRemoved(photos=photos, days=file.snapshot.library.grace_days)

    @api.post("/api/folders/choose", openapi_extra=needs(Scope.DESKTOP))
    async def choose() -> ChosenFolder:
        words = texts()
        return ChosenFolder(path=await desk.choose_folder(words("notify.choose_folder"), words.language))


def estimate_routes(api: FastAPI, tally: Counters, engines: Callable[[], int], remote: Callable[[str], bool]) -> None:
    """Add the routes to `api`.

    `engines` returns the number of engine processes; `remote` returns whether a folder is on a network drive, and blocks.
    """

    def rate() -> float:
        """Return photos per second, from this machine's recent photos."""
        means = tally.means()
        return max(engines(), 1) * 1000 / means.total if means is not None and means.total > 0 else USUAL_RATE

    @api.post(
        "/api/folders/estimate",
        response_class=StreamingResponse,
        responses={200: {"model": Estimate}},
        openapi_extra=needs(Scope.SETTINGS_WRITE),
    )
    async def estimate(body: FolderPath) -> StreamingResponse:
        """Yield a line of JSON at intervals while the photos are counted; the client may disconnect at any time."""
        folder = await readable_folder(body.path)
        return NdjsonResponse(_estimates(folder, rate, remote))


def _switches(body: FolderChange) -> dict[str, object]:
    return body.model_dump(mode="json", exclude={"path"}, exclude_none=True)


async def _newest_first(file: SettingsFile, ingest: Ingest, folder: str) -> None:
    """Queue the newest files ahead of the regular scan, which goes by names. Folders with their own switches are left to that."""
    folders = file.snapshot.folders

    def own(seen: FileSeen) -> bool:
        found = folder_of(seen.path, folders)
        return found is not None and found.root == folder

    with suppress(OSError, AgentError):  # the folder's watcher reports it
        files = await cancellable(lambda: newest(filter(own, walk_images((folder,), None))))
        await note_first(ingest, files, folder)


def _leaving(file: SettingsFile, library: LibraryQueries, folder: str) -> int:
    """Return how many photos leave the library with a folder: none while an outer folder is watched recursively."""
    rest = tuple(other for other in file.snapshot.folders if other.root != folder)
    around = folder_of(folder, rest)
    if around is not None and around.recursive:
        return 0
    return library.count_leaving(folder, [other.root for other in rest])


async def readable_folder(path: str) -> str:
    """Return the folder's absolute path. Raises SourceMissing, SourceNoAccess."""
    folder = root_of(path)
    try:
        await call_with_timeout(partial(_look_into, folder), ANSWER_S)
    except PermissionError as error:
        raise SourceNoAccess from error
    except (OSError, ValueError) as error:  # a TimeoutError is an OSError
        raise SourceMissing from error
    return folder


def _look_into(folder: str) -> None:
    with os.scandir(folder) as entries:
        next(entries, None)


async def _estimates(folder: str, rate: Callable[[], float], remote: Callable[[str], bool]) -> AsyncGenerator[Estimate, None]:
    network = await asyncio.to_thread(remote, folder)
    files, images, more = walk_images((folder,), None), 0, True
    while more:
        found, more = await cancellable(partial(_count, files))
        images += found
        yield Estimate(path=printable(folder), images=images, seconds=images / rate(), more=more, network=network)


def _count(files: Iterator[FileSeen]) -> tuple[int, bool]:
    """Count images within the time limit; return the number, and whether there may be more."""
    found, deadline = 0, time.monotonic() + COUNT_STEP_S
    for _ in files:
        found += 1
        if time.monotonic() > deadline:
            return found, True
    return found, False
