"""Assembles the agent: the only place that names concrete classes."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import NoReturn, cast

from agent.core.child import own_command
from agent.core.config_file import SettingsFile
from agent.core.environment import Environment
from agent.core.files import store_error
from agent.core.heap import give_back, let_go_of_code
from agent.core.memory_trimmer import MemoryTrimmer
from agent.core.observable import Observable
from agent.core.paths import AppPaths
from agent.core.settings import KeyHome, Settings
from agent.core.tools import Stop, abandon_at_quit
from agent.desktop import portal
from agent.desktop.active_window import active_window
from agent.desktop.clipboard import clipboard
from agent.desktop.locked import session_locked
from agent.desktop.window_list import windows_of_the_desktop
from agent.domain.errors import EngineStartFailed
from agent.domain.image import Recipe
from agent.engine.analyser import Analyser, AnalysisEngine
from agent.engine.engine_calls import ModelFile
from agent.engine.governor import read_power
from agent.engine.matcher import MatcherProcess
from agent.engine.matcher_port import FaceMatcher
from agent.engine.model_preparer import ModelPreparer
from agent.engine.monitor import Machine
from agent.engine.open_files import open_photo
from agent.engine.pool import EnginePool
from agent.engine.processes import ProcessMeter, total_memory
from agent.engine.renderer import Renderer
from agent.engine.screen_engine import ScreenEngine
from agent.engine.screen_port import ScreenGrabber, ScreenWatcher, WatchedDesktop
from agent.engine.selftest_runs import DeviceChooser
from agent.engine.video_engine import EngineAnimations, EngineVideos
from agent.engine.video_ports import VideoRenderer
from agent.library.job_queue import JobQueue
from agent.library.recipes import EMBEDDER
from agent.library.thumbnail_store import ThumbnailFile
from agent.main.app import App, Edges, Reconfigure
from agent.models.model_store import ModelState, ModelStore
from agent.people.face_finder import FaceFinder
from agent.people.forgotten import ForgottenFile
from agent.people.recognition_switch import Backups
from agent.people.service import PeopleEdges
from agent.people.sidecars.sidecar_store import Ask, Sidecars
from agent.redaction.copy_files import CopyFileStore
from agent.redaction.queries.redaction_queries import RedactionQueries
from agent.redaction.recovery_file import RecoveryFileStore
from agent.redaction.restore import RedactionTools
from agent.redaction.video.job_files import VideoJobFolder
from agent.redaction.video.video_redactor import VideoRedactor
from agent.screen import capture_files
from agent.screen.capture import CaptureDesktop
from agent.sources.folder.folder_source import FolderSource
from agent.sources.folder.online_only import is_online_only
from agent.sources.source import RemoteSource, Source
from agent.sources.sources import Sources
from agent.store.audit_witness import AuditWitness
from agent.store.backup import BackupStore
from agent.store.database import Database
from agent.store.key_homes import Home, key_home
from agent.store.keys import LibraryKeys
from agent.store.opening import open_library
from agent.store.soundness import Soundness
from agent.updates.library_care import LibraryCare

KEY_HOME = "library.key_home"


def utc_now() -> datetime:
    return datetime.now(UTC)


def model_store(paths: AppPaths) -> ModelStore:
    return ModelStore(paths.data / "models")


def model_files(store: ModelStore) -> dict[str, ModelFile]:
    """Recipe name -> file, of the models that are present."""
    return {
        info.recipe: ModelFile(info.name, str(info.path), info.sha256)
        for info in store.list()
        if info.recipe is not None and info.state is ModelState.PRESENT
    }


def engine_pool(settings: Settings, paths: AppPaths, store: ModelStore, *, again: bool = False, scratch: str = "photos") -> EnginePool:
    """Engine processes with the present models. With `again`, devices that crashed or hung get another chance."""
    return EnginePool(
        settings.engine,
        model_files(store),
        devices=DeviceChooser(store.folder / "devices.json", own_command("engine-worker"), again=again),
        preparer=model_preparer(paths, store),
        scratch=paths.cache / "kernels" / scratch,
    )


def model_preparer(paths: AppPaths, store: ModelStore) -> ModelPreparer:
    """Converts the models to the engines' format; in earlier versions the engines did this."""
    earlier = (store.folder / "ir", paths.cache / "openvino")
    return ModelPreparer(store.folder / "prepared", own_command("engine-worker"), earlier=earlier)


def screen_engine(settings: Settings, paths: AppPaths, store: ModelStore) -> ScreenEngine:
    """The screen's engine with the present models."""
    return ScreenEngine(
        settings.engine,
        model_files(store),
        devices=DeviceChooser(store.folder / "devices.json", own_command("engine-worker")),
        preparer=model_preparer(paths, store),
        scratch=paths.cache / "kernels" / "screen",
        display=not portal.only_portal(),
    )


def surroundings(clock: Callable[[], datetime]) -> CaptureDesktop:
    """This desktop's services for captures."""
    return CaptureDesktop(
        window=active_window,
        usual_name=lambda: capture_files.usual_name(clock()),
        save=capture_files.save,
        clipboard=clipboard(),
        shot=portal.shot if portal.only_portal() else None,
    )


def watched_desktop() -> WatchedDesktop:
    """This desktop's state for watching the screen."""
    windows = windows_of_the_desktop()
    return WatchedDesktop(windows.front, windows.scene, session_locked, portal.no_watching, windows.rest)


def library_care(settings: Settings, paths: AppPaths) -> LibraryCare:
    """Protects the library while a new version is tried on it."""
    return LibraryCare(paths.library, home_of_key(settings, paths), keep=settings.library.backups, clock=utc_now)


def home_of_key(settings: Settings, paths: AppPaths) -> Home:
    """The place of the library's key."""
    return key_home(settings.library.key_home, paths.keys)


def backup_store(settings: Settings, paths: AppPaths) -> BackupStore:
    """The backups of the library."""
    return BackupStore(paths.library, home_of_key(settings, paths), keep=settings.library.backups)


def recovery_code(settings: Settings, paths: AppPaths) -> str:
    """The code that opens the library if its key is lost. Raises KeyHomeError, StoreError."""
    keys = LibraryKeys(paths.library, home_of_key(settings, paths))
    return keys.recovery_code(keys.unlock())


def move_key(file: SettingsFile, paths: AppPaths, to: KeyHome) -> None:
    """Write `library.key_home` and move the library's key there; without a library there is no key to move.

    If an environment variable overrides the setting, the key stays where that says. Raises SettingsError, KeyHomeError, StoreError; then
    neither has changed.
    """
    settings = file.load()
    keys = LibraryKeys(paths.library, home_of_key(settings, paths))

    def switch() -> None:
        file.put(KEY_HOME, to.value)

    if keys.exist and settings.library.key_home is not to and KEY_HOME not in file.overridden():
        keys.move(key_home(to, paths.keys), switch=switch)
    else:
        switch()


def backups_of(database: Database, paths: AppPaths) -> Backups:
    """The backups by the current settings: their number may change, and the key may move, while the agent runs."""

    turn = threading.Lock()  # each run deletes leftovers of unfinished ones

    def daily(now: datetime, settings: Settings) -> None:
        with turn:
            backup_store(settings, paths).make_if_due(database, now)

    def replace(now: datetime, settings: Settings) -> None:
        with turn:
            backup_store(settings, paths).replace(database, now)

    return Backups(daily, replace)


def build(
    settings: Settings,
    paths: AppPaths,
    *,
    database: Database | None = None,
    analyser: Analyser | None = None,
    matcher: FaceMatcher | None = None,
    finder: FaceFinder | None = None,
    renderer: Renderer | None = None,
    clips: VideoRenderer | None = None,
    films: VideoRenderer | None = None,
    source: Source | None = None,
    remote: Mapping[str, RemoteSource] | None = None,
    screen: tuple[ScreenGrabber, CaptureDesktop] | None = None,
    watch: tuple[ScreenWatcher, WatchedDesktop] | None = None,
    desktop: bool = True,
    backups: Backups | None = None,
    reconfigure: Mapping[str, Reconfigure] | None = None,
    renamed: Callable[[str, str | None], bool | None] = lambda *_: None,
    queue: Callable[[Environment], JobQueue] | None = None,
    clock: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> App:
    """The agent, not yet running. Each edge can be replaced by its keyword; `renamed` updates the settings file with a person's new name.
    Without `desktop` there is no screen and no clipboard.

    Call it inside the event loop.

    Raises StoreError, KeyHomeError.
    """
    hooks: dict[str, Reconfigure] = dict(reconfigure or {})
    database = database or open_library(paths.library, home_of_key(settings, paths))
    library = RedactionQueries(database)
    engine = AnalysisEngine(analyser, _four, _nothing) if analyser is not None else None
    machine = Machine()
    ask: Ask = _no_engine
    open_item: Callable[[str], int] = open_photo
    if source is None:
        folders = FolderSource(settings.folders, settings.sources, library.known_files)
        everywhere = Sources(folders, dict(remote or {}))

        async def reconfigure_folders(new: Settings) -> None:
            await folders.reconfigure(new.folders, new.sources)

        source, open_item = everywhere, everywhere.open
        hooks["folders"] = hooks["sources"] = reconfigure_folders
    if engine is None:
        store = model_store(paths)
        pool = engine_pool(settings, paths, store)
        pools = [pool]
        if desktop:
            pools.append(grabber := screen_engine(settings, paths, store))
            screen, watch = screen or (grabber, surroundings(clock)), watch or (grabber, watched_desktop())
        pool.open_item, ask = open_item, pool.ask
        renderer, clips, films = renderer or pool, clips or EngineVideos(pool), films or EngineAnimations(pool)
        machine = Machine(pool, ProcessMeter().read, read_power, total_memory())
        supply, hooks["engine"] = model_ways(store, pools)
        engine = AnalysisEngine(pool, lambda: pool.size + 2, supply)
    thumbnails = ThumbnailFile(paths.cache / "thumbnails.db", database.beside, _bytes(settings))

    async def reconfigure_library(new: Settings) -> None:
        await asyncio.to_thread(thumbnails.bound, _bytes(new))

    hooks["library"] = reconfigure_library
    trimmer = MemoryTrimmer(lambda: database.uses + thumbnails.uses, (database.let_go, thumbnails.let_go, give_back, let_go_of_code))
    edges = Edges(
        library,
        engine,
        source,
        PeopleEdges(
            matcher or MatcherProcess(lambda: library.prints(EMBEDDER)),
            backups or backups_of(database, paths),
            ForgottenFile(paths.library.with_name("forgotten")),
            Sidecars(ask),
            renamed,
            finder,
        ),
        RedactionTools(
            renderer or cast("Renderer", engine.analyser), CopyFileStore(), RecoveryFileStore(lambda: database.key_for(b"kept originals"))
        ),
        AuditWitness(paths.library),
        (
            VideoRedactor(clips, VideoJobFolder(paths.cache / "clips")) if clips else None,
            VideoRedactor(films, VideoJobFolder(paths.cache / "films")) if films else None,
        ),
        thumbnails=thumbnails,
        machine=machine,
        screen=screen,
        watch=watch,
        online_only=is_online_only,
        open_item=open_item,
        check_library=lambda: Soundness(paths.library).look(database),
        queue=queue,
    )
    return App(Environment(Observable(settings), clock, monotonic), edges, hooks, trimmer)


def model_ways(store: ModelStore, pools: Sequence[EnginePool]) -> tuple[Callable[[Recipe], Awaitable[None]], Reconfigure]:
    """Fetching models, and reconfiguring engines after new settings."""

    async def supply(recipe: Recipe) -> None:
        for info in store.list():
            if info.recipe in recipe.models:
                stop = Stop()
                try:
                    await abandon_at_quit(partial(store.fetch, info.name, stop=stop), stop.set)
                except OSError as error:
                    raise store_error(error) from error
        present = await asyncio.to_thread(model_files, store)
        for pool in pools:
            pool.reconfigure(pool.settings, present)

    async def reconfigure(new: Settings) -> None:
        for pool in pools:
            pool.reconfigure(new.engine)

    return supply, reconfigure


def _bytes(settings: Settings) -> int:
    """The size limit for thumbnails."""
    return settings.library.thumbnails_mb * 1_000_000


async def _no_engine(*_: object, **__: object) -> NoReturn:
    """For an analyser that has no engine processes."""
    raise EngineStartFailed


def _four() -> int:
    """Parallel jobs for an analyser without its own number."""
    return 4


async def _nothing(_: Recipe) -> None:
    """For an analyser that brings its own models."""
