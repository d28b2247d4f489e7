"""Where the popup stands."""

from types import SimpleNamespace
from typing import Any

import pytest

from agent.desktop.system.work_area import Rect, mac_area, place, windows_area
from agent.infrastructure.core.settings import Corner

AREA = Rect(100, 30, 1820, 1000)


@pytest.mark.parametrize(
    ("corner", "expected"),
    [
        (Corner.BOTTOM_RIGHT, (1920 - 380 - 12, 1030 - 520 - 12)),
        (Corner.BOTTOM_LEFT, (112, 1030 - 520 - 12)),
        (Corner.TOP_RIGHT, (1920 - 380 - 12, 42)),
        (Corner.TOP_LEFT, (112, 42)),
    ],
)
def test_each_corner_is_twelve_pixels_from_two_edges(corner: Corner, expected: tuple[int, int]) -> None:
    assert place(AREA, 380, 520, corner) == expected


class FakeUser32:
    """Two monitors side by side; the pointer is on the second, whose task bar takes 40 pixels."""

    def GetCursorPos(self, point: Any) -> int:
        point._obj.x, point._obj.y = 2500, 300
        return 1

    def MonitorFromPoint(self, point: Any, flags: int) -> int:
        assert flags == 2
        return 2 if point.x >= 1920 else 1

    def GetMonitorInfoW(self, monitor: Any, info: Any) -> int:
        assert monitor.value == 2
        assert info._obj.size > 0  # Windows refuses a structure that does not say its size
        work = info._obj.work
        work.left, work.top, work.right, work.bottom = 1920, 0, 4480, 1400
        return 1


class FakeShCore:
    """The second monitor is at one and a half times the usual scale."""

    def __init__(self, *, fails: bool = False) -> None:
        self._fails = fails

    def GetDpiForMonitor(self, monitor: Any, kind: int, x: Any, y: Any) -> int:
        assert (monitor.value, kind) == (2, 0)
        if self._fails:
            return -1
        x._obj.value = y._obj.value = 144
        return 0


def test_on_windows_it_is_the_work_area_of_the_pointers_monitor() -> None:
    assert windows_area(FakeUser32(), FakeShCore()) == (Rect(1920, 0, 2560, 1400), 1.5)


def test_on_windows_without_that_monitors_scale_it_is_the_usual_one() -> None:
    assert windows_area(FakeUser32(), FakeShCore(fails=True))[1] == 1.0


def cocoa(x: float, y: float, width: float, height: float) -> Any:
    return SimpleNamespace(origin=SimpleNamespace(x=x, y=y), size=SimpleNamespace(width=width, height=height))


def appkit(pointer: tuple[float, float]) -> Any:
    """A first screen with menu bar (24) and dock (70), and a second one to its right, 100 points higher at its foot."""
    first = SimpleNamespace(frame=lambda: cocoa(0, 0, 1440, 900), visibleFrame=lambda: cocoa(0, 70, 1440, 806))
    second = SimpleNamespace(frame=lambda: cocoa(1440, 100, 1920, 1080), visibleFrame=lambda: cocoa(1440, 100, 1920, 1056))
    mouse = SimpleNamespace(x=pointer[0], y=pointer[1])
    return SimpleNamespace(NSEvent=SimpleNamespace(mouseLocation=lambda: mouse), NSScreen=SimpleNamespace(screens=lambda: [first, second]))


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ((200, 200), Rect(0, 24, 1440, 806)),
        ((2000, 500), Rect(1440, -256, 1920, 1056)),
        ((-50, -50), Rect(0, 24, 1440, 806)),
    ],
)
def test_on_macos_cocoas_upward_screens_are_turned_round(pointer: tuple[float, float], expected: Rect) -> None:
    assert mac_area(appkit(pointer)) == expected
