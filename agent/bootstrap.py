"""Puts the agent together: the only place that names concrete classes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from agent.adapters.backup import BackupStore
from agent.adapters.durable import store_error
from agent.adapters.folder_source import FolderSource
from agent.adapters.key_homes import Home, key_home
from agent.adapters.model_store import ModelState, ModelStore
from agent.adapters.paths import AppPaths
from agent.adapters.power import read_power
from agent.adapters.processes import ProcessMeter, total_memory
from agent.adapters.store import SqliteLibrary
from agent.adapters.store.opening import open_library
from agent.app.lifecycle import App, Backups, Reconfigure
from agent.app.monitor import Machine
from agent.app.ports import Analyser, Source
from agent.domain.image import Recipe
from agent.engine.pool import EnginePool
from agent.engine.wire import ModelFile
from agent.settings import Settings


def utc_now() -> datetime:
    return datetime.now(UTC)


def model_store(paths: AppPaths) -> ModelStore:
    return ModelStore(paths.data / "models")


def model_files(store: ModelStore) -> dict[str, ModelFile]:
    """Recipe name -> file, of the models that are there."""
    return {
        info.recipe: ModelFile(info.name, str(info.path), info.sha256)
        for info in store.list()
        if info.recipe is not None and info.state is ModelState.PRESENT
    }


def engine_pool(settings: Settings, paths: AppPaths, store: ModelStore) -> EnginePool:
    """Engine processes with the models that are there."""
    return EnginePool(settings.engine, model_files(store), converted=store.folder / "ir", cache=paths.cache / "openvino")


def home_of_key(settings: Settings, paths: AppPaths) -> Home:
    """Where the library's key is kept."""
    return key_home(settings.library.key_home, paths.keys)


def backups_of(library: SqliteLibrary, paths: AppPaths) -> Backups:
    """By the settings of the moment: the number may change, and the key may move, while the agent runs."""

    def store(settings: Settings) -> BackupStore:
        return BackupStore(paths.library, home_of_key(settings, paths), keep=settings.library.backups)

    def daily(now: datetime, settings: Settings) -> None:
        store(settings).make_if_due(library, now)

    def replace(now: datetime, settings: Settings) -> None:
        if store(settings).list():
            store(settings).create(library, now, keep=1)

    return Backups(daily, replace)


def build(
    settings: Settings,
    paths: AppPaths,
    *,
    library: SqliteLibrary | None = None,
    analyser: Analyser | None = None,
    source: Source | None = None,
    backups: Backups | None = None,
    reconfigure: Mapping[str, Reconfigure] | None = None,
    clock: Callable[[], datetime] = utc_now,
    monotonic: Callable[[], float] = time.monotonic,
) -> App:
    """The agent, not yet running. Each edge can be swapped by its keyword. Call it inside the event loop.

    Raises StoreError, KeyHomeError.
    """
    hooks: dict[str, Reconfigure] = dict(reconfigure or {})
    library = library or open_library(paths.library, home_of_key(settings, paths))
    slots: Callable[[], int] = _four
    machine: Machine | None = None
    supply: Callable[[Recipe], Awaitable[None]] = _nothing
    if analyser is None:
        store = model_store(paths)
        pool = engine_pool(settings, paths, store)
        analyser, slots = pool, lambda: pool.size + 2
        machine = Machine(pool, ProcessMeter().read, read_power, total_memory())

        async def supply_models(recipe: Recipe) -> None:
            wanted = {name for name in (recipe.detector, recipe.embedder) if name is not None}  # the samples have no recipe
            for info in store.list():
                if info.recipe in wanted:
                    try:
                        await asyncio.to_thread(store.fetch, info.name)
                    except OSError as error:
                        raise store_error(error) from error
            pool.reconfigure(pool.settings, await asyncio.to_thread(model_files, store))

        async def reconfigure_engine(new: Settings) -> None:
            pool.reconfigure(new.engine)

        supply, hooks["engine"] = supply_models, reconfigure_engine
    if source is None:
        folders = FolderSource(settings.folders, settings.sources, library.known_files)

        async def reconfigure_folders(new: Settings) -> None:
            await folders.reconfigure(new.folders, new.sources)

        source, hooks["folders"], hooks["sources"] = folders, reconfigure_folders, reconfigure_folders
    return App(
        settings,
        library,
        analyser,
        source,
        slots=slots,
        clock=clock,
        monotonic=monotonic,
        supply=supply,
        backups=backups or backups_of(library, paths),
        reconfigure=hooks,
        machine=machine,
    )


def _four() -> int:
    """Jobs at once, for an analyser that does not say."""
    return 4


async def _nothing(_: Recipe) -> None:
    """For an analyser that brings its own models."""
