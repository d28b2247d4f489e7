"""The real program, started as the user starts it."""

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

from agent.app.library_home import home_of_key
from agent.domain.errors import AgentError
from agent.features.library.schemas import ImageOut, ImagePage
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store.open_library import open_library
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import find
from agent.interfaces.web.schemas import Status

CHECKOUT = Path(__file__).parents[2]
WAIT_S = 100.0  # tests of other programs share the cores


class RealProgram:
    """`ai-popup run` as the user starts it, with one watched folder and its key in a file."""

    def __init__(self, root: Path, models: Path, environment: Mapping[str, str]) -> None:
        self.home = root / "home"
        self.watched = root / "photos"
        self.watched.mkdir()
        self.paths = AppPaths.find({"AI_POPUP_HOME": str(self.home)}).create()
        if sys.platform == "win32":  # links to folders need a right there that not every user has
            shutil.copytree(models, self.paths.data / "models")
        else:
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

    def without_models(self) -> Path:
        """Return its folder of models, empty: it was a link to that of all tests, or a copy."""
        folder = self.paths.data / "models"
        folder.unlink() if folder.is_symlink() else shutil.rmtree(folder)
        folder.mkdir()
        return folder

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
            self.process.wait(60)
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
        with httpx.Client(base_url=f"http://127.0.0.1:{where.port}/api", headers=headers, trust_env=False, timeout=100) as client:
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
            # One connection for many questions: finding the program anew each time takes as long as its answer.
            with contextlib.suppress(AgentError), self.client() as client:
                while time.monotonic() < deadline:
                    last = client.status()
                    if done(last):
                        return last
                    time.sleep(0.05)
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
    def library(self) -> Iterator[RedactionQueries]:
        """The library, opened with its key."""
        library = RedactionQueries(open_library(self.paths.library, home_of_key(self.file.load(), self.paths)))
        try:
            yield library
        finally:
            library.database.close()
