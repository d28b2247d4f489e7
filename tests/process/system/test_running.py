"""The agent's process: it comes up, follows its file, ends when told, and says what ended it otherwise."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import time
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from structlog.testing import capture_logs

from agent.app.process import Agent
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.errors import AgentError, ModelUnreachable, NoDisplay, NotRunning, SettingsInvalid, StoreDiskFull, StoreUnwritable
from agent.features.library.onboarding import Onboarding
from agent.features.models.model_store import ModelStore
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.store import open_library as opening
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import open_database
from agent.infrastructure.store.open_library import open_library
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import find

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    def offline(self: ModelStore, name: str, **_: object) -> Path:
        raise ModelUnreachable(model=name, sources=0)

    monkeypatch.setattr(ModelStore, "fetch", offline)
    made = AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}).create()
    made.settings.write_text('[library]\nkey_home = "file"\nbackups = 0\n')
    return made


@contextmanager
def agent(
    paths: AppPaths,
    ready: Callable[[Agent], None],
    *,
    tray: bool = False,
    no_tray: Callable[[AgentError], None] = lambda _: None,
) -> Iterator[Agent]:
    file = SettingsFile(paths.settings, environ={})
    file.load()

    @contextmanager
    def database() -> Iterator[Database]:
        with closing(open_library(paths.library, FileSecretStore(paths.keys))) as opened:
            yield opened

    made: Agent = Agent(paths, file, database, tray=tray, on_ready=lambda: ready(made), explain=no_tray)
    try:
        with capture_logs():
            yield made
    finally:
        gc.unfreeze()  # it takes this process, with what the tests left in it, for its own


def test_what_was_loaded_is_not_looked_through_at_each_rest(paths: AppPaths) -> None:
    frozen: list[int] = []

    def ready(running: Agent) -> None:
        frozen.append(gc.get_freeze_count())
        running.quit()

    with agent(paths, ready) as made:
        made.run()
    assert frozen[0] > 10_000


def test_it_serves_while_it_runs_and_leaves_no_word_behind(paths: AppPaths) -> None:
    ports: list[int] = []

    def ready(running: Agent) -> None:
        ports.append(find(paths.runtime).port)
        running.quit()

    with agent(paths, ready) as made:
        made.run()
        made.quit()  # once more does no harm
    assert ports[0] > 0
    with pytest.raises(NotRunning):
        find(paths.runtime)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a key can be had without a display")
def test_a_hotkey_that_can_not_be_had_is_told_of_until_none_is_asked_for(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    paths.settings.write_text(paths.settings.read_text() + '[capture]\nhotkey = "Ctrl+F9"\n')
    told: list[str | None] = []

    def look(running: Agent) -> None:
        file = SettingsFile(paths.settings, environ={})
        try:
            with closing(Client.find(paths.runtime)) as client:
                for key, value, seconds in (("popup.seconds", "33", 33), ("capture.hotkey", "", 33), ("popup.seconds", "34", 34)):
                    file.set(key, value)
                    while (status := client.status()).popup_seconds != seconds or (key == "capture.hotkey" and status.problem):
                        time.sleep(0.1)
                    told.append(status.problem.code if status.problem else None)
        finally:
            running.quit()

    with agent(paths, lambda running: threading.Thread(target=look, args=(running,)).start()) as made:
        made.run()
    assert told == ["desktop.hotkey_unavailable", None, None]


def test_told_to_end_before_it_is_up_it_never_comes_up(paths: AppPaths) -> None:
    with agent(paths, lambda _: pytest.fail("it came up")) as made:
        made.quit()
        made.run()


def test_told_to_end_while_the_library_opens_it_never_comes_up(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    with agent(paths, lambda _: pytest.fail("it came up")) as made:
        opens = made._database

        @contextmanager
        def database() -> Iterator[Database]:
            with opens() as opened:
                made.quit()
                yield opened

        monkeypatch.setattr(made, "_database", database)
        made.run()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_ends_it(paths: AppPaths) -> None:
    with agent(paths, lambda _: os.kill(os.getpid(), signal.SIGTERM)) as made:
        made.run()


def test_without_a_display_it_says_so_and_goes_on(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.process.display_available", lambda: False)
    monkeypatch.setattr("agent.app.process.tray_available", lambda: False)
    monkeypatch.setattr("agent.desktop.system.display.display_available", lambda: False)
    said: list[str] = []

    def say(error: AgentError) -> None:
        said.append(error.code)
        made.quit()

    with agent(paths, lambda _: None, tray=True, no_tray=say) as made:
        made.run()
    assert said == ["desktop.no_tray"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere the icon needs no such library, and it would be shown")
def test_where_a_library_of_the_window_system_is_missing_it_is_named_at_once(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("agent.app.process.display_available", "agent.desktop.system.display.display_available"):
        monkeypatch.setattr(name, lambda: True)
    monkeypatch.setattr("agent.desktop.system.display.qt_lacks", lambda: "libGL.so.1")
    monkeypatch.setattr("agent.app.process.TRAY_WAIT_S", 1_000.0)  # no panel that starts later could help
    said: list[tuple[str, object]] = []

    def say(error: AgentError) -> None:
        said.append((error.code, error.params))
        made.quit()

    with agent(paths, lambda _: None, tray=True, no_tray=say) as made:
        made.run()
    assert said == [("desktop.library_missing", {"library": "libGL.so.1"})]


def test_a_library_that_fails_ends_it_with_the_reason_itself(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: RedactionQueries) -> int:
        raise StoreUnwritable

    monkeypatch.setattr(RedactionQueries, "release_leases", fails)
    with agent(paths, lambda _: None) as made, pytest.raises(StoreUnwritable):
        made.run()


@pytest.mark.parametrize("step", ["open", "work"])
def test_a_start_on_a_full_disk_says_so_once_and_goes_on_when_there_is_room(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    tries, said = list[int](), list[AgentError]()
    release = RedactionQueries.release_leases

    def full() -> None:
        tries.append(len(tries))
        if len(tries) < 4:
            raise StoreDiskFull

    def releasing(library: RedactionQueries) -> int:
        if step == "work":
            full()
        made.quit() if len(tries) == 4 else None
        return release(library)

    def opened(path: Path, key: bytes) -> Database:
        if step == "open":
            full()
        return open_database(path, key)

    monkeypatch.setattr("agent.app.process.ROOM_POLL_S", 0.01)
    monkeypatch.setattr(RedactionQueries, "release_leases", releasing)
    monkeypatch.setattr(opening, "open_database", opened)
    with agent(paths, lambda _: None, no_tray=said.append) as made:
        made.run()
    assert (len(tries), [error.code for error in said]) == (4, ["store.disk_full"])


def test_a_start_that_waits_for_room_can_be_ended(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, key: bytes) -> Database:
        raise StoreDiskFull

    monkeypatch.setattr(opening, "open_database", full)
    with agent(paths, lambda _: pytest.fail("it came up"), no_tray=lambda _: made.quit()) as made:
        made.run()


def test_a_port_that_is_taken_ends_it_with_the_reason_itself(paths: AppPaths) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        paths.settings.write_text(f'[library]\nkey_home = "file"\n[api]\nport = {taken.getsockname()[1]}\n')
        with agent(paths, lambda _: pytest.fail("it came up")) as made, pytest.raises(SettingsInvalid):
            made.run()


@pytest.fixture
def own_desktop(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a desktop without a tray is shown, `popup` or a place in the browser; the library is the user's own."""
    monkeypatch.delenv("AI_POPUP_HOME", raising=False)
    monkeypatch.setattr("agent.desktop.system.autostart.follow", lambda _: None)
    monkeypatch.setattr("agent.app.process.tray_available", lambda: False)
    monkeypatch.setattr("agent.app.process.display_available", lambda: False)
    shown: list[str] = []

    async def popup(_: UiLauncher) -> None:
        shown.append("popup")

    async def browser(_: UiLauncher, at: str) -> None:
        shown.append(at)

    monkeypatch.setattr(UiLauncher, "show_popup", popup)
    monkeypatch.setattr(UiLauncher, "open_browser", browser)
    return shown


def start(paths: AppPaths) -> None:
    with agent(paths, lambda running: running.quit(), tray=True) as made:
        made.run()


def test_a_new_user_is_welcomed_by_the_popup_at_each_start_until_they_are_done(paths: AppPaths, own_desktop: list[str]) -> None:
    start(paths)
    assert own_desktop == ["popup"]
    start(paths)
    assert own_desktop == ["popup"] * 2
    library = RedactionQueries(open_library(paths.library, FileSecretStore(paths.keys)))
    Onboarding(library, lambda: False, lambda: None, lambda _: None).done()
    library.database.close()
    start(paths)
    assert own_desktop == ["popup"] * 2


@pytest.mark.parametrize(("own_home", "section"), [(True, ""), (False, "\n[[folders]]\npath = '/photos'\n")])
def test_who_has_begun_is_not_welcomed(
    paths: AppPaths, own_desktop: list[str], monkeypatch: pytest.MonkeyPatch, own_home: bool, section: str
) -> None:
    if own_home:
        monkeypatch.setenv("AI_POPUP_HOME", "/elsewhere")
    paths.settings.write_text(paths.settings.read_text() + section)
    start(paths)
    assert own_desktop == []


def test_where_there_is_no_popup_the_browser_welcomes(paths: AppPaths, own_desktop: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def none(_: UiLauncher) -> None:
        raise NoDisplay

    monkeypatch.setattr(UiLauncher, "show_popup", none)
    start(paths)
    paths.settings.write_text(paths.settings.read_text() + "\n[popup]\nenabled = false\n")
    start(paths)
    assert own_desktop == ["photos"] * 2


def test_core_and_tray_meet_once_though_each_says_that_it_is_there(paths: AppPaths) -> None:
    met: list[object] = []
    with agent(paths, lambda _: None) as made:
        core, bridge = SimpleNamespace(join=None), object()
        made._loop = cast(Any, SimpleNamespace(call_soon_threadsafe=lambda *call: met.append(call), is_closed=lambda: True))
        made._bridge = cast(Any, bridge)
        made.is_up(cast(Any, core))
        made.is_up(cast(Any, core))
    assert met == [(None, bridge)]
