"""Assembles the agent: the only place that names concrete classes."""

import asyncio
import time
from collections.abc import Callable, Mapping

from agent.app.adapters import ExternalAdapters
from agent.app.app import App, Reconfigure
from agent.app.engines import engine_pool, model_store, model_ways, screen_engine
from agent.app.library_home import backups_of, home_of_key
from agent.app.memory_limits import guarded_matcher, guarded_screen
from agent.desktop.capture import capture_files
from agent.desktop.capture.capture import CaptureDesktop
from agent.desktop.system import portal
from agent.desktop.system.active_window import active_window
from agent.desktop.system.clipboard import clipboard
from agent.desktop.system.presence import session_locked
from agent.desktop.system.window_list import windows_of_the_desktop
from agent.features.library.job_queue import JobQueue
from agent.features.library.recipes import EMBEDDER
from agent.features.library.thumbnail_store import ThumbnailFile
from agent.features.people.erasure_list import ErasureList
from agent.features.people.face_search import FaceFinder
from agent.features.people.service import PeopleEdges
from agent.features.people.sidecars.sidecar_store import Sidecars
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.recovery_file import RecoveryFileStore
from agent.features.redaction.restore import RedactionTools
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.inference.engine.analyser import AnalysisEngine
from agent.inference.engine.load_limiter import read_power
from agent.inference.engine.matcher import MatcherProcess
from agent.inference.engine.monitor import Machine
from agent.inference.engine.process_meter import ProcessMeter, total_memory
from agent.inference.engine.screen_port import WatchedDesktop
from agent.inference.engine.video_engine import EngineAnimations, EngineVideos
from agent.infrastructure.core.leadership import Leadership, LocalWorkClaims, SingleProcessLeadership, WorkClaims
from agent.infrastructure.core.malloc_tuning import drop_code_pages, give_back
from agent.infrastructure.core.memory_trimmer import MemoryTrimmer
from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.service_context import Environment, utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.folder.drives import is_online_only
from agent.infrastructure.sources.folder.folder_source import FolderSource
from agent.infrastructure.sources.source import RemoteSource, Sources
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.integrity import Soundness
from agent.infrastructure.store.open_library import open_library


def surroundings() -> CaptureDesktop:
    """This desktop's services for captures."""
    return CaptureDesktop(
        window=active_window,
        usual_name=lambda: capture_files.usual_name(utc_now()),
        save=capture_files.save,
        clipboard=clipboard(),
        shot=portal.shot if portal.only_portal() else None,
    )


def watched_desktop() -> WatchedDesktop:
    """This desktop's state for watching the screen."""
    windows = windows_of_the_desktop()
    return WatchedDesktop(windows.front, windows.scene, session_locked, portal.no_watching, windows.rest)


def build(
    settings: Settings,
    paths: AppPaths,
    *,
    database: Database | None = None,
    finder: FaceFinder | None = None,
    remote: Mapping[str, RemoteSource] | None = None,
    desktop: bool = True,
    reconfigure: Mapping[str, Reconfigure] | None = None,
    renamed: Callable[[str, str | None], bool | None] = lambda *_: None,
    queue: Callable[[Environment], JobQueue] | None = None,
    leadership: Leadership | None = None,
    claims: WorkClaims | None = None,
    swap: Callable[[ExternalAdapters], ExternalAdapters] = lambda edges: edges,
) -> App:
    """The agent, not yet running. `renamed` updates the settings file with a person's new name. Without `desktop` there is no screen and no
    clipboard. `swap` may put other edges in place of the real ones.

    Call it inside the event loop.

    Raises StoreError, KeyHomeError.
    """
    hooks: dict[str, Reconfigure] = dict(reconfigure or {})
    database = database or open_library(paths.library, home_of_key(settings, paths))
    library = RedactionQueries(database)
    folders = FolderSource(settings.folders, settings.sources, library.known_files)
    source = Sources(folders, dict(remote or {}))

    async def reconfigure_folders(new: Settings) -> None:
        await folders.reconfigure(new.folders, new.sources)

    hooks["folders"] = hooks["sources"] = reconfigure_folders
    store = model_store(paths)
    pool = engine_pool(settings, paths, store)
    pool.open_item = source.open
    matcher = MatcherProcess(lambda: library.prints(EMBEDDER))
    pools, guarded, screen, watch = [pool], [guarded_matcher(matcher)], None, None
    if desktop:
        pools.append(grabber := screen_engine(settings, paths, store))
        guarded.insert(0, guarded_screen(grabber))
        screen, watch = (grabber, surroundings()), (grabber, watched_desktop())
    supply, hooks["engine"] = model_ways(store, pools)
    thumbnails = ThumbnailFile(paths.cache / "thumbnails.db", database.beside, _bytes(settings))

    async def reconfigure_library(new: Settings) -> None:
        await asyncio.to_thread(thumbnails.bound, _bytes(new))

    hooks["library"] = reconfigure_library
    trimmer = MemoryTrimmer(lambda: database.uses + thumbnails.uses, (database.let_go, thumbnails.let_go, give_back, drop_code_pages))
    edges = ExternalAdapters(
        library,
        AnalysisEngine(pool, lambda: pool.size + 2, supply),
        source,
        PeopleEdges(
            matcher,
            backups_of(database, paths),
            ErasureList(paths.library.with_name("forgotten")),
            Sidecars(pool.ask),
            renamed,
            finder,
        ),
        RedactionTools(
            pool,
            CopyFileStore(source.open),
            RecoveryFileStore(lambda: database.key_for(b"kept originals")),
            claims or LocalWorkClaims(),
        ),
        AuditAnchor(paths.library),
        (
            VideoRedactor(EngineVideos(pool), VideoJobFolder(paths.cache / "clips")),
            VideoRedactor(EngineAnimations(pool), VideoJobFolder(paths.cache / "films")),
        ),
        thumbnails=thumbnails,
        machine=Machine(pool, ProcessMeter().read, read_power, total_memory()),
        screen=screen,
        watch=watch,
        online_only=is_online_only,
        open_item=source.open,
        check_library=lambda: Soundness(paths.library).look(database),
        queue=queue,
        leadership=leadership or SingleProcessLeadership(),
        guarded=tuple(guarded),
    )
    return App(Environment(Observable(settings), utc_now, time.monotonic), swap(edges), hooks, trimmer)


def _bytes(settings: Settings) -> int:
    """The size limit for thumbnails."""
    return settings.library.thumbnails_mb * 1_000_000
