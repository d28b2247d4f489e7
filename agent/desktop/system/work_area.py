"""Positions the popup: in a corner of the screen with the pointer, inside the area left free by panels and docks."""

from dataclasses import dataclass
from typing import Any, Protocol

from agent.infrastructure.core.settings import Corner

MARGIN = 12
_DPI = 96  # Windows' at scale 1


@dataclass(frozen=True, slots=True)
class Rect:
    """Left, top, width, height, in the unit in which the window system moves windows; top grows downwards."""

    x: int
    y: int
    w: int
    h: int


def frame(area: Rect, width: int, height: int, corner: Corner, margin: int = MARGIN) -> Rect:
    """The position of a window of this size in a corner of `area`; reduced to fit the area, so that every edge stays reachable."""
    width, height = max(1, min(width, area.w - 2 * margin)), max(1, min(height, area.h - 2 * margin))
    x, y = place(area, width, height, corner, margin)
    return Rect(x, y, width, height)


def place(area: Rect, width: int, height: int, corner: Corner, margin: int = MARGIN) -> tuple[int, int]:
    """Left and top of a window of this size in a corner of `area`, `margin` away from its edges; never beyond its left and top edge."""
    left, top = area.x + margin, area.y + margin
    right, bottom = area.x + area.w - width - margin, area.y + area.h - height - margin
    x = left if corner in (Corner.TOP_LEFT, Corner.BOTTOM_LEFT) else right
    y = top if corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT) else bottom
    return max(area.x, x), max(area.y, y)


def qt_area() -> Rect:
    """Linux, in Qt's device-independent pixels. Qt's thread only."""
    from PySide6.QtGui import QCursor, QGuiApplication

    screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
    free = screen.availableGeometry()
    return Rect(free.x(), free.y(), free.width(), free.height())


class User32(Protocol):
    """The functions used of the library of that name."""

    def GetCursorPos(self, point: Any) -> int: ...
    def MonitorFromPoint(self, point: Any, flags: int) -> int: ...
    def GetMonitorInfoW(self, monitor: Any, info: Any) -> int: ...


class ShCore(Protocol):
    """The functions used of the library of that name."""

    def GetDpiForMonitor(self, monitor: Any, kind: int, x: Any, y: Any) -> int: ...


def windows_area(user32: User32, shcore: ShCore) -> tuple[Rect, float]:
    """Windows: the work area in physical pixels (the process is aware of each monitor's scale), and that monitor's scale.

    The window's own scale is that of its previous monitor, possibly another one.
    """
    import ctypes

    class Point(ctypes.Structure):
        _fields_ = (("x", ctypes.c_long), ("y", ctypes.c_long))

    class Edges(ctypes.Structure):
        _fields_ = (("left", ctypes.c_long), ("top", ctypes.c_long), ("right", ctypes.c_long), ("bottom", ctypes.c_long))

    class MonitorInfo(ctypes.Structure):
        _fields_ = (("size", ctypes.c_ulong), ("monitor", Edges), ("work", Edges), ("flags", ctypes.c_ulong))

    nearest = 2
    point, info = Point(), MonitorInfo()
    info.size = ctypes.sizeof(MonitorInfo)
    user32.GetCursorPos(ctypes.byref(point))
    monitor = ctypes.c_void_p(user32.MonitorFromPoint(point, nearest))
    user32.GetMonitorInfoW(monitor, ctypes.byref(info))
    across, down = ctypes.c_uint(_DPI), ctypes.c_uint(_DPI)  # unchanged if the call fails
    shcore.GetDpiForMonitor(monitor, 0, ctypes.byref(across), ctypes.byref(down))
    work = info.work
    return Rect(work.left, work.top, work.right - work.left, work.bottom - work.top), across.value / _DPI


def mac_area(appkit: Any) -> Rect:
    """macOS, in points, flipped: Cocoa counts upwards from the bottom of the first screen."""
    pointer = appkit.NSEvent.mouseLocation()
    screens = list(appkit.NSScreen.screens())

    def holds(screen: Any) -> bool:
        frame = screen.frame()
        inside_x = frame.origin.x <= pointer.x < frame.origin.x + frame.size.width
        return bool(inside_x and frame.origin.y <= pointer.y < frame.origin.y + frame.size.height)

    free = next((screen for screen in screens if holds(screen)), screens[0]).visibleFrame()
    top = screens[0].frame().size.height - (free.origin.y + free.size.height)
    return Rect(int(free.origin.x), int(top), int(free.size.width), int(free.size.height))
