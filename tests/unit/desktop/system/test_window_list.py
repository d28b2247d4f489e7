"""What Windows is asked about its windows, with a stand-in for its libraries."""

import ctypes
import os
from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.system import active_window
from agent.desktop.system.window_list import WindowsWindows
from agent.domain.face import Box
from agent.domain.scene import Window

SCALE = 1.5
FRAMES = {7: (-1800, 100, -600, 900), 8: (0, 0, 2880, 1620)}
"""In pixels, of a desktop whose second monitor stands at the left of the first, each 2880 pixels wide."""


class Desktop:
    """user32 and dwmapi: frames are in pixels, all else is scaled for who did not say that they count in pixels."""

    def __init__(self, front: int) -> None:
        self.front, self.pixels = front, False
        self.hidden, self.cloaked, self.framed = set[int](), set[int](), True

    def SetThreadDpiAwarenessContext(self, wanted: ctypes.c_void_p) -> None:
        self.pixels = wanted.value == ctypes.c_void_p(-3).value

    def GetForegroundWindow(self) -> int:
        return self.front

    def GetSystemMetrics(self, edge: int) -> int:
        return {76: -2880, 77: 0}[edge] if self.pixels else round({76: -2880, 77: 0}[edge] / SCALE)

    def DwmGetWindowAttribute(self, window: Any, which: int, into: Any, _: int) -> int:
        if which == 14:
            into._obj.value = int(window.value in self.cloaked)
        elif not self.framed:
            return 1
        else:
            into._obj.left, into._obj.top, into._obj.right, into._obj.bottom = FRAMES[window.value]
        return 0

    def EnumWindows(self, each: Any, _: int) -> None:
        for number in FRAMES:
            each(number, 0)

    def IsWindowVisible(self, window: Any) -> bool:
        return window.value not in self.hidden

    def IsIconic(self, _: Any) -> bool:
        return False

    def GetWindowThreadProcessId(self, _: Any, pid: Any) -> None:
        pid._obj.value = os.getpid()

    def GetClassNameW(self, _: Any, text: Any, room: int) -> None:
        text.value = "Kind"[:room]

    def GetWindowTextW(self, window: Any, text: Any, room: int) -> None:
        text.value = f"Window {window.value}"[:room]


def windows(desktop: Desktop) -> WindowsWindows:
    return WindowsWindows(SimpleNamespace(user32=desktop, dwmapi=desktop))


def told(window: Window | None) -> tuple[Box, str]:
    assert window is not None and window.programs[0] == "Kind" and window.own
    return window.area, window.title


def test_a_window_is_told_in_pixels_from_the_corner_of_all_monitors_whatever_their_scale() -> None:
    assert told(windows(Desktop(front=7)).front()) == (Box(1080, 100, 1200, 800), "Window 7")
    assert windows(Desktop(front=0)).front() is None


def test_those_that_are_to_be_seen_are_told_from_the_topmost_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE, raising=False)
    desktop = Desktop(front=7)
    assert [told(window)[0] for window in windows(desktop).scene().windows] == [Box(1080, 100, 1200, 800), Box(2880, 0, 2880, 1620)]
    desktop.cloaked = {7}
    assert [window.title for window in windows(desktop).scene().windows] == ["Window 8"]
    desktop.hidden = {8}
    assert windows(desktop).scene().windows == ()


def test_the_window_in_use_has_a_place_or_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    desktop = Desktop(front=8)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(user32=desktop, dwmapi=desktop), raising=False)
    assert active_window._windows() == (2880, 0, 2880, 1620)
    desktop.framed = False
    assert active_window._windows() is None
    desktop.front = 0
    assert active_window._windows() is None
