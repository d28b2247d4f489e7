"""What tests of every kind share: the models and the public-domain sample photos, fetched once into the checkout's build folder."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image, ImageOps

from agent.adapters.config_file import SettingsFile
from agent.adapters.model_store import ModelStore
from agent.adapters.paths import AppPaths
from agent.adapters.store import SqliteLibrary
from agent.adapters.store.opening import open_library
from agent.api.client import Client
from agent.api.schemas import ImageOut, ImagePage, Status
from agent.api.whereabouts import find
from agent.bootstrap import home_of_key
from agent.domain.errors import AgentError
from agent.engine.wire import EngineConfig, ModelFile

CHECKOUT = Path(__file__).parent.parent
WAIT_S = 40.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--count", type=int, default=20, help="how often tests/integration/test_kills.py kills a process")
    parser.addoption("--cases", type=int, default=200, help="how many files tests/integration/test_fuzz.py mutates")
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


# -- the real program ------------------------------------------------------------------------------------------------------------


class RealProgram:
    """`ai-popup run` as the user starts it, with one watched folder and its key in a file."""

    def __init__(self, root: Path, models: Path, environment: Mapping[str, str]) -> None:
        self.home = root / "home"
        self.watched = root / "photos"
        self.watched.mkdir()
        self.paths = AppPaths.find({"AI_POPUP_HOME": str(self.home)}).create()
        (self.paths.data / "models").symlink_to(models, target_is_directory=True)
        kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")}
        self.environment = {
            **kept,
            "AI_POPUP_HOME": str(self.home),
            "PYTHONPATH": str(CHECKOUT),
            "LC_ALL": "C.UTF-8",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            **environment,
        }
        self.file = SettingsFile(self.paths.settings, environ={})
        self.file.set("library.key_home", "file")
        self.file.set("sources.settle_ms", "100")
        self.file.add_folder(self.watched)
        self.process: subprocess.Popen[bytes] | None = None

    # -- its life ----------------------------------------------------------------------------------------------------------------
    def start(self, *, tray: bool = False, before: Sequence[str] = (), wait: bool = True) -> None:
        """Start it; `before` is a command that runs it."""
        command = [*before, sys.executable, "-m", "agent", "run", *([] if tray else ["--no-tray"])]
        none = subprocess.DEVNULL
        with (self.home / "errors.txt").open("ab") as errors:
            self.process = subprocess.Popen(command, stdin=none, stdout=none, stderr=errors, env=self.environment, cwd=CHECKOUT)
        if wait:
            self.until(lambda _: True)

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def children(self, kind: str = "") -> list[psutil.Process]:
        """The processes below it: all, or those of one kind ("engine-worker", "popup-window")."""
        found = []
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.process.pid).children(recursive=True) if self.process else []:
                with contextlib.suppress(psutil.Error):
                    if not kind or kind in child.cmdline():
                        found.append(child)
        return found

    def kill(self) -> None:
        """As `kill -9` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def quit(self) -> None:
        """End it in an orderly way, and make sure of it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def run(self, *words: str, input: str | None = None) -> subprocess.CompletedProcess[str]:
        """A command of `ai-popup` beside it."""
        command = [sys.executable, "-m", "agent", *words]
        return subprocess.run(
            command, env=self.environment, cwd=CHECKOUT, capture_output=True, text=True, input=input, timeout=WAIT_S, check=False
        )

    # -- what it says ------------------------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        with contextlib.closing(Client.find(self.paths.runtime)) as client:
            yield client

    @contextlib.contextmanager
    def api(self) -> Iterator[httpx.Client]:
        """For what its own client has no words for."""
        where = find(self.paths.runtime)
        headers = {"authorization": f"Bearer {where.token}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{where.port}/api", headers=headers, trust_env=False, timeout=20) as client:
            yield client

    def status(self) -> Status:
        with self.client() as client:
            return client.status()

    def post(self, path: str) -> None:
        with self.client() as client:
            client.post(path)

    def until(self, done: Callable[[Status], bool], within: float = WAIT_S) -> Status:
        """Wait until its status is so."""
        deadline = time.monotonic() + within
        last: Status | None = None
        while time.monotonic() < deadline:
            with contextlib.suppress(AgentError):
                last = self.status()
                if done(last):
                    return last
            if not self.alive:
                break
            time.sleep(0.05)
        pytest.fail(f"alive: {self.alive}, last: {last!r}, errors: {(self.home / 'errors.txt').read_text()[-2000:]!r}")

    def settled(self, images: int, *, failed: int = 0) -> Status:
        """Wait until so many images are indexed and nothing is under way."""
        return self.until(lambda status: (status.images, status.failed, status.queued) == (images, failed, 0))

    def images(self) -> dict[str, ImageOut]:
        """Name -> image."""
        with self.client() as client:
            page = ImagePage.model_validate(client.get_json("/api/images?limit=200"))
        return {image.name: image for image in page.items}

    @contextlib.contextmanager
    def library(self) -> Iterator[SqliteLibrary]:
        """The library, opened with its key."""
        library = open_library(self.paths.library, home_of_key(self.file.load(), self.paths))
        try:
            yield library
        finally:
            library.close()


MakeProgram = Callable[[Mapping[str, str]], RealProgram]


@contextlib.contextmanager
def _programs(root: Path, models: Path) -> Iterator[MakeProgram]:
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
