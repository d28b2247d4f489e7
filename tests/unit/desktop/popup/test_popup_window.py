"""The protocol of the popup's process, with a stand-in for its window."""

import ctypes
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.popup import popup_window
from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.popup_window import PopupServer
from agent.desktop.system.display import prepare_scaling
from agent.desktop.system.work_area import Rect
from agent.infrastructure.core.settings import Corner

URL = "http://127.0.0.1:5000/popup?code=1"


def test_windows_leaves_scaling_to_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int | None] = []
    user32 = SimpleNamespace(SetProcessDpiAwarenessContext=lambda context: told.append(ctypes.c_ssize_t(context.value).value))
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(user32=user32), raising=False)
    for system in ("linux", "darwin", "win32"):
        monkeypatch.setattr(sys, "platform", system)
        prepare_scaling()
    assert told == [-4]  # by each monitor, as WebView2 wants it


class FakePicker:
    def __init__(self, done: list[tuple[str, object]]) -> None:
        self.done = done

    def warm(self, url: str) -> bool:
        self.done.append(("warm", url))
        return True

    def fill(self, panes: Sequence[PickerPane]) -> None:
        self.done.append(("fill", list(panes)))

    def reveal(self) -> None:
        self.done.append(("reveal", None))

    def conceal(self) -> None:
        self.done.append(("conceal picker", None))


class FakeShell:
    """Notes what it is asked to do."""

    def __init__(self, comes: bool = True) -> None:
        self.comes = comes
        self.done: list[tuple[str, object]] = []

    def load(self, url: str) -> bool:
        self.done.append(("load", url))
        return self.comes

    def present(self, corner: Corner) -> None:
        self.done.append(("present", corner))

    def conceal(self) -> None:
        self.done.append(("conceal", None))

    def picker(self) -> FakePicker:
        return FakePicker(self.done)

    def choose_folder(self, title: str, language: str, chosen: Callable[[str | None], None]) -> None:
        self.done.append(("choose", title))
        chosen("/photos")


class FakeWindow:
    """pywebview's window."""

    def __init__(self, made: bool = True) -> None:
        self.events = SimpleNamespace(shown=threading.Event())
        if made:
            self.events.shown.set()
        self.destroyed = False
        self.hidden = threading.Event()

    def destroy(self) -> None:
        self.destroyed = True

    def hide(self) -> None:
        self.hidden.set()


@pytest.fixture(autouse=True)
def no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process under test is the test's own: it must not be ended."""
    monkeypatch.setattr(threading, "Timer", lambda *arguments: SimpleNamespace(daemon=False, start=lambda: None))


def serve(monkeypatch: pytest.MonkeyPatch, shell: FakeShell, *requests: object) -> tuple[list[dict[str, Any]], FakeWindow]:
    """What the process sends for these requests, without the times."""
    monkeypatch.setattr(popup_window, "shell_for", lambda window: shell)
    sent, window = io.BytesIO(), FakeWindow()
    PopupServer(window, io.BytesIO(b"".join(json.dumps(request).encode() + b"\n" for request in requests)), sent).run()
    answers = [json.loads(line) for line in sent.getvalue().splitlines()]
    for answer in answers:
        assert "notice" in answer or answer.pop("ms") >= 0
    return answers, window


def test_it_loads_then_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    answers, _ = serve(monkeypatch, shell, {"do": "show", "url": URL, "corner": "top-left"})

    assert answers == [{"ok": True}]
    assert shell.done == [("load", URL), ("present", Corner.TOP_LEFT)]


def test_without_an_address_the_page_that_is_there_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    serve(monkeypatch, shell, {"do": "show", "url": None, "corner": "bottom-right"}, {"do": "hide"})

    assert shell.done == [("present", Corner.BOTTOM_RIGHT), ("conceal", None)]


def test_a_page_that_does_not_come_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell(comes=False)
    answers, _ = serve(monkeypatch, shell, {"do": "show", "url": URL, "corner": "bottom-right"})

    assert answers == [{"ok": False}]
    assert [name for name, _ in shell.done] == ["load"]


@pytest.mark.parametrize(
    "request_",
    [{"do": "show", "url": "http://192.0.2.1/", "corner": "top-left"}, {"do": "show"}, {"do": "dance"}, {}],
)
def test_a_foreign_page_or_an_unknown_request_is_refused(monkeypatch: pytest.MonkeyPatch, request_: object) -> None:
    shell = FakeShell()
    answers, _ = serve(monkeypatch, shell, request_)

    assert answers == [{"ok": False}]
    assert shell.done == []


def test_a_chosen_folder_is_told_as_a_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, _ = serve(monkeypatch, FakeShell(), {"do": "choose_folder", "title": "Choose", "language": "en"})

    assert answers == [{"notice": "folder", "path": "/photos"}, {"ok": True}]


def test_the_end_of_its_input_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _, window = serve(monkeypatch, FakeShell())

    assert window.destroyed


def test_a_window_that_was_never_made_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popup_window, "_START_S", 0.01)
    window = FakeWindow(made=False)
    PopupServer(window, io.BytesIO(b'{"do": "hide"}\n'), io.BytesIO()).run()

    assert window.destroyed


def test_closed_by_the_user_it_only_hides_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popup_window, "shell_for", lambda window: FakeShell())
    sent, window = io.BytesIO(), FakeWindow()
    server = PopupServer(window, io.BytesIO(), sent)

    assert server.on_closing() is False
    assert window.hidden.wait(5)
    assert json.loads(sent.getvalue()) == {"notice": "hidden"}

    server.run()
    assert server.on_closing() is True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Qt's environment")
@pytest.mark.parametrize(("user", "sandboxed"), [(0, False), (1000, True)])
def test_only_root_goes_without_the_sandbox(monkeypatch: pytest.MonkeyPatch, user: int, sandboxed: bool) -> None:
    monkeypatch.setenv("QTWEBENGINE_CHROMIUM_FLAGS", "--lang=zh")
    monkeypatch.setenv("QT_QUICK_BACKEND", "")
    monkeypatch.setenv("QT_QPA_PLATFORM", "wayland")
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    popup_window.prepare_linux()

    flags = os.environ["QTWEBENGINE_CHROMIUM_FLAGS"].split()
    assert flags[0] == "--lang=zh"
    assert ("--no-sandbox" not in flags) is sandboxed
    assert os.environ["QT_QPA_PLATFORM"] == "xcb"


def test_the_windows_of_the_picker_are_loaded_filled_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    pane = {"rect": [0, 0, 1920, 1080], "at": "pick/word/1/0/0/en"}
    steps: tuple[dict[str, object], ...] = ({"url": URL}, {"panes": [pane]}, {}, {})
    requests = [{"do": f"{do}_picker", **step} for do, step in zip(("warm", "fill", "reveal", "conceal"), steps, strict=True)]
    answers, _ = serve(monkeypatch, shell, *requests)
    assert answers == [{"ok": True}] * 4
    filled = ("fill", [PickerPane(Rect(0, 0, 1920, 1080), "pick/word/1/0/0/en")])
    assert shell.done == [("warm", URL), filled, ("reveal", None), ("conceal picker", None)]


def test_the_picker_too_loads_nothing_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = FakeShell()
    answers, _ = serve(monkeypatch, shell, {"do": "warm_picker", "url": "http://192.0.2.1/picker"})
    assert answers == [{"ok": False}] and not shell.done
