"""The position of the active window."""

import os
import sys

from agent.desktop.system.display import display_available
from agent.desktop.system.window_list import WindowsWindows
from agent.domain.errors import NoWindow


def active_window() -> tuple[int, int, int, int]:
    """Left, top, width and height in screen pixels, without the window manager's frame.

    Raises NoWindow if no window is active or the system does not tell, as on Wayland.
    """
    if sys.platform == "win32":
        found = _windows()
    elif sys.platform == "darwin":
        found = _macos()
    else:
        found = None if os.environ.get("WAYLAND_DISPLAY") or not display_available() else _x11()
    if found is None:
        raise NoWindow
    return found


def _x11() -> tuple[int, int, int, int] | None:
    from Xlib import X, display
    from Xlib.error import DisplayError, XError

    try:
        server = display.Display()
    except (DisplayError, OSError):
        return None
    try:
        root = server.screen().root
        active = root.get_full_property(server.intern_atom("_NET_ACTIVE_WINDOW"), X.AnyPropertyType)
        if active is None or not active.value[0]:
            return None
        window = server.create_resource_object("window", active.value[0])
        size, place = window.get_geometry(), root.translate_coords(window, 0, 0)
        return place.x, place.y, size.width, size.height
    except XError:  # closed in the meantime
        return None
    finally:
        server.close()


def _windows() -> tuple[int, int, int, int] | None:
    front = WindowsWindows().front()
    if front is None or front.area.w <= 0:  # the system does not tell its position
        return None
    return round(front.area.x), round(front.area.y), round(front.area.w), round(front.area.h)


def _macos() -> tuple[int, int, int, int] | None:
    try:
        import Quartz  # type: ignore[import-not-found,unused-ignore]  # macOS only, brought by pystray
        from AppKit import NSScreen, NSWorkspace  # type: ignore[import-not-found,unused-ignore]  # likewise
    except ImportError:
        return None
    front = NSWorkspace.sharedWorkspace().frontmostApplication().processIdentifier()
    scale = float(NSScreen.mainScreen().backingScaleFactor())
    everything = [Quartz.CGDisplayBounds(each) for each in Quartz.CGGetActiveDisplayList(16, None, None)[1]]
    left, top = min(each.origin.x for each in everything), min(each.origin.y for each in everything)
    for window in Quartz.CGWindowListCopyWindowInfo(Quartz.kCGWindowListOptionOnScreenOnly, Quartz.kCGNullWindowID) or ():
        if window["kCGWindowOwnerPID"] == front and window["kCGWindowLayer"] == 0:
            bounds = window["kCGWindowBounds"]
            x, y, w, h = (round(bounds[side] * scale) for side in ("X", "Y", "Width", "Height"))
            return round(x - left * scale), round(y - top * scale), w, h
    return None
