"""Puts the models and the engines together that run them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from agent.app.app import Reconfigure
from agent.desktop.system import portal
from agent.domain.image import Recipe
from agent.features.models.model_store import ModelState, ModelStore
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.screen_engine import ScreenEngine
from agent.inference.engine.selftest_runs import DeviceSelector
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.core.subprocesses import Stop, run_abandonable


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
        ComputeSetup(
            devices=DeviceSelector(store.folder / "devices.json", own_command("engine-worker"), again=again),
            preparer=model_preparer(paths, store),
            scratch=paths.cache / "kernels" / scratch,
        ),
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
        ComputeSetup(
            devices=DeviceSelector(store.folder / "devices.json", own_command("engine-worker")),
            preparer=model_preparer(paths, store),
            scratch=paths.cache / "kernels" / "screen",
        ),
        display=not portal.only_portal(),
    )


def model_ways(store: ModelStore, pools: Sequence[EnginePool]) -> tuple[Callable[[Recipe], Awaitable[None]], Reconfigure]:
    """Fetching models, and reconfiguring engines after new settings."""

    async def supply(recipe: Recipe) -> None:
        for info in store.list():
            if info.recipe in recipe.models:
                stop = Stop()
                try:
                    await run_abandonable(partial(store.fetch, info.name, stop=stop), stop.set)
                except OSError as error:
                    raise store_error(error) from error
        present = await asyncio.to_thread(model_files, store)
        for pool in pools:
            pool.reconfigure(pool.settings, present)

    async def reconfigure(new: Settings) -> None:
        for pool in pools:
            pool.reconfigure(new.engine)

    return supply, reconfigure
