"""The API over a whole agent with the edges swapped, and clients with and without the right to ask."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio

from agent.app.health import DiskFacts, Health, ModelFacts
from agent.app.http import Context, create_app
from agent.app.library_restore import LibraryRestore, RestoreOutcome
from agent.desktop.capture.region_picker import RegionPicker
from agent.domain.errors import DesktopError, KeyHomeError
from agent.features.library.onboarding import Onboarding
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store.backup import BackupStore
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.local_auth import Auth
from tests.support.fake_screen import FakeClipboard, FakeGrabber, FakeWindows, surroundings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from fastapi import FastAPI

    from tests.support.in_process_agent import World

PORT = 8765
VERSION = "1.2.3"


class FakeDesk:
    """Notes what was asked for; `error` is raised instead."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.error: DesktopError | None = None
        self.folder: str | None = None

    def _ask(self, what: str) -> None:
        if self.error is not None:
            raise self.error
        self.asked.append(what)

    async def show_popup(self) -> None:
        self._ask("show")

    async def hide_popup(self) -> None:
        self._ask("hide")

    async def open_browser(self, at: str) -> None:
        self._ask(f"browser {at}")

    async def show_file(self, path: str) -> None:
        self._ask(f"show {path}")

    async def open_file(self, path: str) -> None:
        self._ask(f"open {path}")

    async def edit_file(self, path: Path) -> None:
        self._ask(f"edit {path}")

    async def choose_folder(self, title: str, language: str) -> str | None:
        self._ask(title)
        return self.folder


class Part:
    """A part of the context, and parts of that: which ones, is looked up when a route uses it."""

    def __init__(self, api: SharedApi, *path: str) -> None:
        self._api, self._path = api, path

    def _now(self) -> Any:
        return functools.reduce(getattr, self._path, self._api.context)

    def __getattr__(self, name: str) -> Any:
        # The routes take what they need out of the context while they are made.
        return Part(self._api, *self._path, name) if self._api.context is None else getattr(self._now(), name)

    def __call__(self, *values: Any) -> Any:
        if self._api.context is not None:
            return self._now()(*values)
        assert self._path == ("app", "rest", "also")  # the one thing that routes ask for while they are made
        self._api.forget += values
        return None


class SharedApi:
    """The API over the context of the test that runs, made once: FastAPI looks at the types of each route, which is dearer than a test."""

    def __init__(self, ui: Path) -> None:
        (ui / "assets").mkdir()
        (ui / "help" / "zh-CN").mkdir(parents=True)
        (ui / "help" / "pictures").mkdir()
        (ui / "help" / "pictures" / "popup-en.png").write_bytes(b"png")
        (ui / "help" / "zh-CN" / "guide.json").write_text('{"html": "<h1>指南</h1>"}', encoding="utf-8")
        for page in ("index", "popup", "picker"):
            (ui / f"{page}.html").write_text("<!doctype html><title>page</title>")
        (ui / "assets" / "app-1a2b.js").write_text("export {}")
        self.ui = ui
        self.context: Context | None = None
        self.forget: list[Callable[[], None]] = []
        parts: dict[str, Any] = {field.name: Part(self, field.name) for field in fields(Context)}
        self._app = create_app(Context(**{**parts, "version": VERSION, "ui": ui, "help": ui / "help"}), lambda: PORT)

    def over(self, context: Context) -> FastAPI:
        """With nothing remembered of the context before."""
        if context is not self.context:
            self.context = context
            for forget in self.forget:
                forget()
                context.app.rest.also(forget)
        return self._app


@pytest.fixture(scope="session")
def shared_api(tmp_path_factory: pytest.TempPathFactory) -> SharedApi:
    return SharedApi(tmp_path_factory.mktemp("ui"))


class Served:
    """What stands behind the API."""

    def __init__(self, world: World, shared: SharedApi, config: Path) -> None:
        self.world = world
        self._shared = shared
        self.time = 0.0
        self.language = "en"
        self.desk = FakeDesk()
        self.quits = 0
        self.choices: str | None = None
        self.damaged, self.restored = False, list[str]()
        self.moved: list[KeyHome] = []
        self.settings = SettingsFile(config / "settings.toml", {"AI_POPUP__POPUP__BURST": "9"})
        self.settings.load()
        self.key_error: KeyHomeError | None = None
        self.auth = Auth(lambda: self.time)
        self.grabber, self.clipboard, self.windows = FakeGrabber(), FakeClipboard(), FakeWindows()
        self.saved: dict[str, bytes] = {}
        world.screen = (self.grabber, surroundings(self.saved, self.clipboard))
        world.make(world.app.settings)
        self.context = Context(
            app=world.app,
            auth=self.auth,
            desk=self.desk,
            picking=RegionPicker(lambda: world.app.screen.capturing, self.windows),
            settings=self.settings,
            move_key=self._move_key,
            recovery_code=self._recovery_code,
            beginning=Onboarding(
                world.app.library,
                lambda: bool(self.settings.snapshot.folders),
                lambda: self.choices,
                lambda chosen: setattr(self, "choices", chosen),
            ),
            suggested=lambda: ("/home/mei/Pictures",),
            texts=lambda: Texts(self.language),
            remote=lambda path: path.endswith("nas"),
            quit=self._quit,
            health=Health(
                checks={"disk": lambda: "9.0 GB"},
                models=lambda: (ModelFacts("centerface", "detector", "present", "MIT", "a" * 64),),
                disk=lambda: DiskFacts(free=4, library=3, thumbnails=2, backups=1),
                last_backup=lambda: None,
                bundle=lambda _: b"PK",
            ),
            restore=LibraryRestore(
                lambda: BackupStore(config / "library", FileSecretStore(config / "keys"), keep=3),
                world.app.library.database,
                damaged=lambda: self.damaged,
                close=self.restored.append,
                last=RestoreOutcome(),
            ),
            version=VERSION,
            ui=shared.ui,
            help=shared.ui / "help",
        )

    @property
    def api(self) -> FastAPI:
        return self._shared.over(self.context)

    def _quit(self) -> None:
        self.quits += 1

    def _move_key(self, to: KeyHome) -> None:
        self.settings.put("library.key_home", to.value)
        self.moved.append(to)

    def _recovery_code(self) -> str:
        if self.key_error is not None:
            raise self.key_error
        return "AAAAA-BBBBB"

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.api, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{PORT}", headers=headers)


@pytest.fixture
async def served(world: World, shared_api: SharedApi, tmp_path: Path) -> Served:
    return Served(world, shared_api, tmp_path / "config")


@pytest_asyncio.fixture
async def owner(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Bears the token."""
    async with served.client(authorization=f"Bearer {served.auth.token}") as client:
        yield client


@pytest_asyncio.fixture
async def stranger(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Bears nothing."""
    async with served.client() as client:
        yield client
