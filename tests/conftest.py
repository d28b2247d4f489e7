"""What tests of every kind share: the models and the public-domain sample photos, fetched once into the checkout's build folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.adapters.model_store import ModelStore
from agent.adapters.store import SqliteLibrary
from agent.engine.wire import EngineConfig, ModelFile

CHECKOUT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--count", type=int, default=20, help="how often tests/integration/test_kills.py kills a process")
    parser.addoption("--seed", type=int, default=None, help="repeat a run of tests/integration/test_kills.py")


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


@pytest.fixture(scope="session")
def library_key() -> bytes:
    return bytes(range(32))


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory, library_key: bytes) -> Path:
    """An empty library's file, to copy: making one runs the migrations, which takes a quarter of a second."""
    path = tmp_path_factory.mktemp("library") / "library.db"
    SqliteLibrary(path, library_key).close()
    return path


@pytest.fixture
def library(tmp_path: Path, empty_library: Path, library_key: bytes) -> Iterator[SqliteLibrary]:
    """A new, empty, encrypted library in `tmp_path / "library.db"`."""
    shutil.copyfile(empty_library, tmp_path / "library.db")
    opened = SqliteLibrary(tmp_path / "library.db", library_key)
    yield opened
    opened.close()
