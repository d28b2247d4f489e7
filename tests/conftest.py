"""What tests of every kind share: the models and the public-domain sample photos, fetched once into the checkout's build folder."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

# Fixtures import what they need: the process that only hands tests out to others is up sooner.
if TYPE_CHECKING:
    from PIL import Image
    from sqlalchemy import Engine

    from agent.features.models.model_store import ModelStore
    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from agent.inference.engine.engine_calls import EngineConfig, ModelFile
    from agent.infrastructure.store.database import Database
    from tests.support.in_process_agent import World
    from tests.support.postgres_server import PostgresServer
    from tests.support.real_program import RealProgram

    MakeProgram: TypeAlias = Callable[[Mapping[str, str]], RealProgram]

pytest_plugins = ("tests.support.process_fixtures",)

CHECKOUT = Path(__file__).parent.parent
SLOW = ("packages", "journeys", "browser", "program", "server", "process")
PACKAGES = "tests/packages/desktop"
# A file whose tests run one after the other for minutes; at the end the other workers would wait for it.
LONGEST = ("tests/packages/", "tests/journeys/", "tests/program/updates/test_handover.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--count",
        type=int,
        default=None,
        help="how often tests/program/bad_days/test_kills.py and test_server_kills.py kill a process, by another seed",
    )
    parser.addoption(
        "--cases",
        type=int,
        default=None,
        help="how many files tests/process/engine/test_fuzz.py mutates, and how many requests test_api_fuzz.py makes up for each route",
    )
    parser.addoption("--device", action="append", default=[], help="tests of inference also run on it, such as CUDA; repeatable")
    parser.addoption("--seed", type=int, default=None, help="repeat a run with one of these options")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object | None:
    """Where files of tests run side by side, those of the packages run one after the other: each process would pack the program anew."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # it has no types
        def _split_scope(self, nodeid: str) -> str:
            return PACKAGES if nodeid.startswith(f"{PACKAGES}/test_") else super()._split_scope(nodeid)

    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where a test lies says what it is; only `smoke` is written by hand."""
    for item in items:
        item.add_marker("slow" if item.nodeid.startswith(tuple(f"tests/{folder}/" for folder in SLOW)) else "fast")
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    from agent.features.models.model_store import ModelStore

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
    from agent.inference.engine.engine_calls import ModelFile

    infos = [model_store.info("centerface"), model_store.info("mobilefacenet")]
    return {str(info.recipe): ModelFile(info.name, str(info.path), info.sha256) for info in infos}


@pytest.fixture(scope="session")
def engine_config(engine_models: dict[str, ModelFile]) -> EngineConfig:
    from agent.inference.engine.engine_calls import EngineConfig

    return EngineConfig(engine_models, converted=str(CHECKOUT / "build/cache/converted"), cache=str(CHECKOUT / "build/cache/kernels"))


@pytest.fixture(scope="session")
def library_key() -> bytes:
    return bytes(range(32))


@pytest.fixture(scope="session")
def empty_library(tmp_path_factory: pytest.TempPathFactory, library_key: bytes) -> Path:
    """An empty library's file, to copy: that takes a fifth of the time of making one."""
    from agent.infrastructure.store.migrator import open_database

    path = tmp_path_factory.mktemp("library") / "library.db"
    open_database(path, library_key).close()
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    from tests.support.postgres_server import ON_SERVER, PostgresServer

    if not ON_SERVER:
        pytest.skip("PostgreSQL's programs are installed on Linux alone")
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def on_server(postgres: PostgresServer, library_key: bytes) -> Iterator[Database]:
    """An empty library. One for all tests: making a database takes as long as twenty of them."""
    from agent.infrastructure.store.database import Database
    from agent.infrastructure.store.dialects.postgresql import PostgreSql
    from agent.infrastructure.store.migrator import upgrade

    database = Database(PostgreSql(postgres.url(postgres.create()), library_key))
    upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="session")
def statements_compiled_once() -> Iterator[None]:
    """The program has one library and compiles each statement once; here each of hundreds of libraries would do so anew."""
    from agent.infrastructure.store.dialects.sqlcipher import SqlCipher

    create = SqlCipher._create_engine
    first: list[Engine] = []

    def created(dialect: SqlCipher) -> Engine:
        first.append(engine := create(dialect))
        engine.dialect, engine._compiled_cache = first[0].dialect, first[0]._compiled_cache
        del first[1:]
        return engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SqlCipher, "_create_engine", created)
        yield


@pytest.fixture
def library(tmp_path: Path, empty_library: Path, library_key: bytes, statements_compiled_once: None) -> Iterator[RedactionQueries]:
    """A new, empty, encrypted library in `tmp_path / "library.db"`."""
    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from agent.infrastructure.store.migrator import open_database

    shutil.copyfile(empty_library, tmp_path / "library.db")
    opened = RedactionQueries(open_database(tmp_path / "library.db", library_key))
    yield opened
    opened.database.close()


# -- the whole agent with its edges swapped -------------------------------------------------------------------------------------------


@pytest.fixture
async def world(library: RedactionQueries, tmp_path: Path, quick: None) -> World:
    from tests.support.in_process_agent import World

    return World(library, tmp_path / "photos")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Waits between tries are of no interest but for their being there; log lines of tests are of none."""
    from structlog.testing import capture_logs

    monkeypatch.setattr("agent.features.library.indexer.RETRY_AFTER_S", (0.01, 0.01))
    monkeypatch.setattr("agent.features.library.ingest.RETRY_AFTER_S", 0.01)
    monkeypatch.setattr("agent.features.people.editor.RETRY_AFTER_S", 0.01)
    monkeypatch.setattr("agent.features.people.recognition_switch.RETRY_S", 0.01)
    monkeypatch.setattr("agent.features.redaction.redaction_worker.RETRY_AFTER_S", (0.01, 0.01))
    monkeypatch.setattr("agent.features.redaction.redaction_worker.LOOK_S", 0.01)
    monkeypatch.setattr("agent.features.redaction.folder_copies.RETRY_AFTER_S", 0.01)
    monkeypatch.setattr("agent.features.library.scan.LOOK_S", 0.01)
    monkeypatch.setattr("agent.features.library.status.LEAST_INTERVAL_S", 0.01)
    monkeypatch.setattr("agent.features.library.status.MOST_SHARE", 5)
    with capture_logs():
        yield


# -- the real program ----------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _programs(root: Path, models: Path) -> Iterator[MakeProgram]:
    from tests.support.real_program import RealProgram

    made: list[RealProgram] = []

    def make(environment: Mapping[str, str]) -> RealProgram:
        made.append(RealProgram(root, models, environment))
        return made[-1]

    yield make
    for program in made:
        program.quit()


@pytest.fixture
def make_program(tmp_path: Path, models_folder: Path) -> Iterator[MakeProgram]:
    """Makes the program, not started yet, with an environment that says where it shows itself; it is ended with the test."""
    with _programs(tmp_path, models_folder) as make:
        yield make


@pytest.fixture(scope="module")
def make_module_program(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[MakeProgram]:
    """The same for all tests of a module."""
    with _programs(tmp_path_factory.mktemp("program"), models_folder) as make:
        yield make


@pytest.fixture(scope="session")
def photo(samples_folder: Path) -> Callable[[int], Image.Image]:
    """Distinct photos by number, made of the samples: `1 + number % 2` faces side by side."""
    from PIL import Image, ImageOps

    names = ("obama.jpg", "obama2.jpg", "biden.jpg")
    parts: Mapping[str, Image.Image] = {}
    for name in names:
        whole = Image.open(samples_folder / name).convert("RGB")
        parts = {**parts, name: ImageOps.contain(whole.crop((0, 0, whole.width, min(whole.height, whole.width))), (400, 400))}

    def make(number: int) -> Image.Image:
        faces = 1 + number % 2
        picture = Image.new("RGB", (450 * faces, 460), (number * 37 % 256, number * 91 % 256, number * 53 % 256))
        for place in range(faces):
            picture.paste(parts[names[(number + place) % len(names)]], (450 * place + number * 7 % 50, number * 11 % 60))
        return picture

    return make
