"""The popup's window on Windows and macOS, with stand-ins for both systems."""

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.popup import system_shells
from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.system_shells import MacShell, PlainShell, WindowsShell
from agent.desktop.popup.window_backend import is_ours
from agent.desktop.system.work_area import Rect
from agent.infrastructure.core.settings import Corner

NOACTIVATE, TOOLWINDOW = 0x0800_0000, 0x80


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://127.0.0.1:8000/popup?code=x", True),
        ("http://localhost:1/", True),
        ("http://[::1]:8000/", True),
        ("https://127.0.0.1/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://user@192.0.2.1/127.0.0.1", False),
        ("http://127.0.0.1@192.0.2.1/", False),
        ("file:///etc/passwd", False),
        ("javascript:1", False),
        ("chrome-error://chromewebdata/", False),
        ("", False),
    ],
)
def test_only_pages_of_this_machine_are_ours(url: str, ours: bool) -> None:
    assert is_ours(url) is ours


class FakeWindow:
    """pywebview's window as far as the shells touch it."""

    def __init__(self, current: str | None = "http://127.0.0.1:5/popup", native: Any = None, folder: tuple[str, ...] | None = None) -> None:
        self.events = SimpleNamespace(loaded=threading.Event())
        self.focus = False
        self.native = native
        self.evaluate_js: Callable[[str], None] = lambda script: None
        self._current, self._folder = current, folder

    def load_url(self, url: str) -> None:
        self.events.loaded.set()

    def get_current_url(self) -> str | None:
        return self._current

    def create_file_dialog(self, kind: int) -> tuple[str, ...] | None:
        return self._folder


@pytest.mark.parametrize(("current", "came"), [("http://127.0.0.1:5/popup", True), ("chrome-error://chromewebdata/", False), (None, False)])
def test_a_page_came_if_the_window_says_it_is_there(current: str | None, came: bool) -> None:
    assert PlainShell(FakeWindow(current)).load("http://127.0.0.1:5/popup?code=1") is came


@pytest.mark.parametrize("folder", [("/photos",), None])
def test_the_folder_dialog_answers_later(folder: tuple[str, ...] | None) -> None:
    answered = threading.Event()
    chosen: list[str | None] = []

    def note(path: str | None) -> None:
        chosen.append(path)
        answered.set()

    PlainShell(FakeWindow(folder=folder)).choose_folder("Choose", "en", note)
    assert answered.wait(5)
    assert chosen == [folder[0] if folder else None]


class FakeShCore:
    """The pointer's monitor is at twice the usual scale."""

    def GetDpiForMonitor(self, monitor: Any, kind: int, x: Any, y: Any) -> int:
        x._obj.value = 192
        return 0


class FakeUser32:
    """Notes what is done to the window."""

    def __init__(self) -> None:
        self.style = NOACTIVATE
        self.positions: list[tuple[int, ...]] = []

    def GetCursorPos(self, point: Any) -> int:
        return 1

    def MonitorFromPoint(self, point: Any, flags: int) -> int:
        return 1

    def GetMonitorInfoW(self, monitor: Any, info: Any) -> int:
        info._obj.work.right, info._obj.work.bottom = 3840, 2080
        return 1

    def GetWindowLongW(self, handle: int, index: int) -> int:
        return self.style

    def SetWindowLongW(self, handle: int, index: int, style: int) -> int:
        self.style = style
        return 0

    def SetWindowPos(self, *arguments: int) -> int:
        self.positions.append(arguments)
        return 1


def test_on_windows_it_is_shown_topmost_without_activation_and_may_be_clicked_into() -> None:
    user32 = FakeUser32()
    window = FakeWindow(native=SimpleNamespace(Handle=SimpleNamespace(ToInt32=lambda: 77)))
    shell = WindowsShell(window, user32, FakeShCore())
    shell.present(Corner.BOTTOM_RIGHT)
    shell.conceal()

    moved, again, shown, hidden = user32.positions
    assert moved == again and moved[:6] == shown[:6] == (77, -1, 3840 - 760 - 24, 2080 - 1040 - 24, 760, 1040)
    assert moved[-1] & 0x40 == 0
    assert all(position[-1] & 0x10 for position in (moved, shown))
    assert shown[-1] & 0x10  # SWP_NOACTIVATE
    assert shown[-1] & 0x40  # SWP_SHOWWINDOW
    assert hidden[-1] & 0x10
    assert hidden[-1] & 0x80  # SWP_HIDEWINDOW
    assert user32.style == TOOLWINDOW
    assert window.focus


def test_on_windows_a_window_of_the_picker_stands_to_the_pixel_and_is_not_shown_by_that(monkeypatch: pytest.MonkeyPatch) -> None:
    user32 = FakeUser32()
    made = FakeWindow(native=SimpleNamespace(Handle=SimpleNamespace(ToInt32=lambda: 78)))
    made.events.loaded.set()
    monkeypatch.setattr(system_shells, "_new_window", lambda *_, **__: made)
    picker = WindowsShell(FakeWindow(), user32, FakeShCore()).picker()
    assert picker.warm("http://127.0.0.1:5/open")
    picker.fill([PickerPane(Rect(-1920, 40, 1920, 1080), "a")])
    assert {position[:6] for position in user32.positions} == {(78, -1, -1920, 40, 1920, 1080)}
    assert all(position[-1] & 0x10 and not position[-1] & 0x43 for position in user32.positions)


class FakeNative:
    """An NSWindow."""

    def __init__(self) -> None:
        self.focus = False
        self.done: list[tuple[str, object]] = []

    def setFrame_display_(self, frame: tuple[tuple[float, float], tuple[float, float]], display: bool) -> None:
        self.done.append(("moved", frame))

    def orderFrontRegardless(self) -> None:
        self.done.append(("shown", None))

    def orderOut_(self, sender: object) -> None:
        self.done.append(("hidden", sender))


def test_on_macos_it_is_shown_alone_and_the_program_stays_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    def rect(x: float, y: float, width: float, height: float) -> Any:
        return SimpleNamespace(origin=SimpleNamespace(x=x, y=y), size=SimpleNamespace(width=width, height=height))

    policies: list[int] = []
    screen = SimpleNamespace(frame=lambda: rect(0, 0, 1440, 900), visibleFrame=lambda: rect(0, 70, 1440, 806))
    appkit = SimpleNamespace(
        NSEvent=SimpleNamespace(mouseLocation=lambda: SimpleNamespace(x=5, y=5)),
        NSScreen=SimpleNamespace(screens=lambda: [screen]),
        NSApplication=SimpleNamespace(sharedApplication=lambda: SimpleNamespace(setActivationPolicy_=policies.append)),
    )
    native = FakeNative()
    made = FakeWindow(native=native)
    made.events.loaded.set()
    monkeypatch.setattr(system_shells, "_new_window", lambda *_, **__: made)
    shell = MacShell(FakeWindow(native=native), appkit, lambda call, *arguments: call(*arguments))
    shell.present(Corner.BOTTOM_RIGHT)
    shell.conceal()

    # 12 points over the dock, counted from the bottom of the screen.
    assert native.done == [("moved", ((1440 - 392, 70 + 12), (380, 520))), ("shown", None), ("hidden", None)]
    assert native.focus
    assert policies == [1]

    # A window of the picker, on a monitor to the left of the first and higher.
    native.done.clear()
    picker = shell.picker()
    assert picker.warm("http://127.0.0.1:5/open")
    picker.fill([PickerPane(Rect(-800, -100, 800, 600), "a")])
    assert native.done == [("moved", ((-800, 400), (800, 600)))]
