"""What tests of every kind share: the models and the public-domain sample photos, fetched once into the checkout's build folder."""

from pathlib import Path

import pytest

from agent.adapters.model_store import ModelStore
from agent.engine.wire import EngineConfig, ModelFile

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    return ModelStore(CHECKOUT / "build" / "cache" / "models")


@pytest.fixture(scope="session")
def models_folder(model_store: ModelStore) -> Path:
    """The folder of the model store, with detector and embedder in it."""
    for name in ("centerface", "mobilefacenet"):
        model_store.fetch(name)
    return model_store.folder


@pytest.fixture(scope="session")
def samples_folder(model_store: ModelStore) -> Path:
    """Six of Obama (obama.jpg, obama2.jpg, obama3.jpg, two partial faces, 32bit.png) and biden.jpg: one face each."""
    return model_store.fetch("samples")


@pytest.fixture(scope="session")
def engine_models(models_folder: Path, model_store: ModelStore) -> dict[str, ModelFile]:
    """What an engine is told of its models, by recipe name."""
    infos = [model_store.info("centerface"), model_store.info("mobilefacenet")]
    return {str(info.recipe): ModelFile(info.name, str(info.path), info.sha256) for info in infos}


@pytest.fixture(scope="session")
def engine_config(engine_models: dict[str, ModelFile]) -> EngineConfig:
    return EngineConfig(engine_models, converted=str(CHECKOUT / "build/cache/converted"), cache=str(CHECKOUT / "build/cache/kernels"))
