"""The agent's process: it comes up, follows its file, ends when told, and says what ended it otherwise."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from agent.adapters.config_file import SettingsFile
from agent.adapters.key_homes import FileHome
from agent.adapters.model_store import ModelStore
from agent.adapters.paths import AppPaths
from agent.adapters.store import SqliteLibrary
from agent.adapters.store.opening import open_library
from agent.api.whereabouts import find
from agent.desktop.desk import Desk
from agent.domain.errors import ModelUnreachable, NotRunning, SettingsInvalid, StoreDiskFull
from agent.running import Agent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppPaths:
    def offline(self: ModelStore, name: str) -> Path:
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
    welcome: bool = False,
    no_tray: Callable[[], None] = lambda: None,
) -> Iterator[Agent]:
    file = SettingsFile(paths.settings, environ={})
    file.load()
    library = open_library(paths.library, FileHome(paths.keys))
    try:
        made: Agent = Agent(paths, file, library, tray=tray, welcome=welcome, on_ready=lambda: ready(made), on_no_tray=no_tray)
        with capture_logs():
            yield made
    finally:
        library.close()


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


def test_told_to_end_before_it_is_up_it_never_comes_up(paths: AppPaths) -> None:
    with agent(paths, lambda _: pytest.fail("it came up")) as made:
        made.quit()
        made.run()


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_signal_ends_it(paths: AppPaths) -> None:
    with agent(paths, lambda _: os.kill(os.getpid(), signal.SIGTERM)) as made:
        made.run()


def test_without_a_display_it_says_so_and_goes_on(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.running.display_available", lambda: False)
    monkeypatch.setattr("agent.running.tray_available", lambda: False)
    said: list[str] = []

    def say() -> None:
        said.append("no tray")
        made.quit()

    with agent(paths, lambda _: None, tray=True, no_tray=say) as made:
        made.run()
    assert said == ["no tray"]


def test_a_library_that_fails_ends_it_with_the_reason_itself(paths: AppPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: SqliteLibrary) -> int:
        raise StoreDiskFull

    monkeypatch.setattr(SqliteLibrary, "release_leases", full)
    with agent(paths, lambda _: None) as made, pytest.raises(StoreDiskFull):
        made.run()


def test_a_port_that_is_taken_ends_it_with_the_reason_itself(paths: AppPaths) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        paths.settings.write_text(f'[library]\nkey_home = "file"\n[api]\nport = {taken.getsockname()[1]}\n')
        with agent(paths, lambda _: pytest.fail("it came up")) as made, pytest.raises(SettingsInvalid):
            made.run()


@pytest.mark.parametrize(
    ("own_home", "folders", "opened"), [(False, "", ["photos"]), (True, "", []), (False, "\n[[folders]]\npath = '/photos'\n", [])]
)
def test_the_first_start_on_a_desktop_opens_the_welcome(
    paths: AppPaths, monkeypatch: pytest.MonkeyPatch, own_home: bool, folders: str, opened: list[str]
) -> None:
    monkeypatch.delenv("AI_POPUP_HOME", raising=False)
    if own_home:
        monkeypatch.setenv("AI_POPUP_HOME", "/elsewhere")
    monkeypatch.setattr("agent.running.autostart.follow", lambda _: None)
    monkeypatch.setattr("agent.running.tray_available", lambda: False)
    monkeypatch.setattr("agent.running.display_available", lambda: False)
    seen: list[str] = []
    monkeypatch.setattr(Desk, "browse", lambda _, at: seen.append(at))
    paths.settings.write_text(paths.settings.read_text() + folders)
    with agent(paths, lambda running: running.quit(), tray=True, welcome=True) as made:
        made.run()
    assert seen == opened
