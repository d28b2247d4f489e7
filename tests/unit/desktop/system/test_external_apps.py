"""Opening the browser and the file manager."""

import os
import subprocess
import sys
import webbrowser
from pathlib import Path
from typing import Any

import pytest

from agent.desktop.system import external_apps, session_bus
from agent.desktop.system.external_apps import open_image, open_in_browser, open_text, show_in_folder


class Runs:
    """Stands for `subprocess.run`."""

    def __init__(self, code: int = 0, error: Exception | None = None) -> None:
        self.code, self.error = code, error
        self.commands: list[str | list[str]] = []

    def __call__(self, command: str | list[str], **options: Any) -> "subprocess.CompletedProcess[bytes]":
        assert options["timeout"] > 0
        self.commands.append(command)
        if self.error is not None:
            raise self.error
        return subprocess.CompletedProcess(command, self.code)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    made = Runs()
    monkeypatch.setattr(subprocess, "run", made)
    return made


def system(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "platform", name)


def test_windows_selects_the_file_in_explorer(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> None:
    system(monkeypatch, "win32")
    monkeypatch.setenv("SYSTEMROOT", "D:\\Windows")
    runs.code = 1  # what Explorer returns when all went well

    assert show_in_folder(Path("photos/a, b.jpg"))
    assert runs.commands == [rf'"D:\Windows\explorer.exe" /select,"{Path("photos/a, b.jpg")}"']  # not one in the current folder


def test_macos_reveals_the_file_in_finder(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> None:
    system(monkeypatch, "darwin")

    assert show_in_folder(Path("/photos/a.jpg"))
    assert runs.commands == [["open", "-R", str(Path("/photos/a.jpg"))]]


def test_linux_asks_the_file_manager_to_select_the_file(monkeypatch: pytest.MonkeyPatch, runs: Runs, tmp_path: Path) -> None:
    system(monkeypatch, "linux")
    asked: list[list[str]] = []

    def show_items(uris: list[str]) -> bool:
        asked.append(uris)
        return True

    monkeypatch.setattr(session_bus, "show_items", show_items)

    assert show_in_folder(tmp_path / "照片 1.jpg")
    assert asked == [[(tmp_path / "照片 1.jpg").as_uri()]]
    assert runs.commands == []


def test_linux_without_such_a_file_manager_opens_the_folder(monkeypatch: pytest.MonkeyPatch, runs: Runs, tmp_path: Path) -> None:
    system(monkeypatch, "linux")
    monkeypatch.setattr(session_bus, "show_items", lambda uris: False)

    assert show_in_folder(tmp_path / "a.jpg")
    assert runs.commands == [["xdg-open", str(tmp_path)]]


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("xdg-open", 10)])
def test_where_nothing_opens_it_says_so(monkeypatch: pytest.MonkeyPatch, runs: Runs, error: Exception) -> None:
    system(monkeypatch, "darwin")
    runs.error = error

    assert not show_in_folder(Path("/photos/a.jpg"))


def test_the_browser_opens_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def note(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr(external_apps, "display_available", lambda: True)
    monkeypatch.setattr(webbrowser, "open", note)

    assert open_in_browser("http://127.0.0.1:1/?code=x")
    assert opened == ["http://127.0.0.1:1/?code=x"]


def test_without_a_display_no_browser_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_apps, "display_available", lambda: False)
    monkeypatch.setattr(webbrowser, "open", lambda url: pytest.fail("a text browser would take over the terminal"))

    assert not open_in_browser("http://127.0.0.1:1/")


def test_a_browser_that_can_not_be_found_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(external_apps, "display_available", lambda: True)
    monkeypatch.setattr(webbrowser, "open", refuse)

    assert not open_in_browser("http://127.0.0.1:1/")


class Programs:
    """Stands for `subprocess.Popen`: a program that ends with a code, or stays."""

    def __init__(self, code: int | None) -> None:
        self.code = code
        self.commands: list[list[str]] = []

    def __call__(self, command: list[str], **options: Any) -> "Programs":
        assert options["start_new_session"]
        self.commands.append(command)
        return self

    def wait(self, timeout: float | None = None) -> int:
        if self.code is None and timeout is not None:
            raise subprocess.TimeoutExpired(self.commands[-1], timeout)
        return self.code or 0


@pytest.mark.parametrize(("name", "program"), [("linux", "xdg-open"), ("darwin", "open")])
@pytest.mark.parametrize(("code", "opened"), [(0, True), (3, False), (None, True)])
def test_an_image_is_opened_with_the_users_viewer(
    monkeypatch: pytest.MonkeyPatch, name: str, program: str, code: int | None, opened: bool
) -> None:
    system(monkeypatch, name)
    programs = Programs(code)
    monkeypatch.setattr(subprocess, "Popen", programs)

    assert open_image(Path("/photos/a.JPG")) is opened
    assert programs.commands == [[program, str(Path("/photos/a.JPG").absolute())]]


def test_a_viewer_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    system(monkeypatch, "linux")

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(subprocess, "Popen", missing)
    assert not open_image(Path("/photos/a.jpg"))


@pytest.mark.parametrize("name", ["a.desktop", "a.exe", "a.jpg.bat", "jpg"])
def test_what_has_not_an_images_name_is_shown_but_never_opened(monkeypatch: pytest.MonkeyPatch, runs: Runs, name: str) -> None:
    system(monkeypatch, "darwin")
    monkeypatch.delattr(subprocess, "Popen")

    assert open_image(Path("/photos") / name)
    assert runs.commands == [["open", "-R", str(Path("/photos") / name)]]


@pytest.mark.parametrize(("name", "command"), [("linux", ["xdg-open"]), ("darwin", ["open", "-t"])])
def test_a_text_is_opened_with_the_users_editor(monkeypatch: pytest.MonkeyPatch, name: str, command: list[str]) -> None:
    system(monkeypatch, name)
    programs = Programs(0)
    monkeypatch.setattr(subprocess, "Popen", programs)

    assert open_text(Path("/home/settings.toml"))
    assert programs.commands == [[*command, str(Path("/home/settings.toml").absolute())]]


def test_a_text_without_an_editor_is_shown_in_its_folder(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> None:
    system(monkeypatch, "darwin")
    monkeypatch.setattr(subprocess, "Popen", Programs(1))

    assert open_text(Path("/home/settings.toml"))
    assert runs.commands == [["open", "-R", str(Path("/home/settings.toml"))]]


def test_windows_takes_its_own_editor_where_no_program_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(path: Path) -> None:
        raise OSError

    system(monkeypatch, "win32")
    monkeypatch.setattr(os, "startfile", unknown, raising=False)
    monkeypatch.setenv("SYSTEMROOT", "D:\\Windows")
    programs = Programs(None)
    monkeypatch.setattr(subprocess, "Popen", programs)

    assert open_text(Path("settings.toml"))
    assert programs.commands == [[r"D:\Windows\notepad.exe", "settings.toml"]]
    monkeypatch.setattr(os, "startfile", lambda path: None)
    assert open_text(Path("settings.toml"))
    assert len(programs.commands) == 1
