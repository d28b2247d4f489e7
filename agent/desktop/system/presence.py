"""Detects whether a popup would disturb (a full-screen window, a presentation), and whether the session is locked.

Where detection fails, a popup does not disturb, and the session is not locked.
"""

import ctypes
import sys
from dataclasses import dataclass
from typing import Any

from agent.desktop.system import session_bus


@dataclass(frozen=True, slots=True)
class Presence:
    fullscreen: bool = False  # the active window fills its screen
    presenting: bool = False  # the system was told that a presentation is running


def presence() -> Presence:
    """The user's current activity. A few milliseconds; call it outside the event loop."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return Presence(fullscreen=_macos_fullscreen())
    return Presence(_x11_fullscreen(), session_bus.idle_inhibited())


# The values of SHQueryUserNotificationState.
_BUSY, _FULL_SCREEN_GAME, _PRESENTATION, _FULL_SCREEN_APP = 2, 3, 4, 7


def _windows() -> Presence:
    state = ctypes.c_int(0)
    shell: Any = ctypes.windll.shell32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    if shell.SHQueryUserNotificationState(ctypes.byref(state)) != 0:
        return Presence()
    return Presence(state.value in (_BUSY, _FULL_SCREEN_GAME, _FULL_SCREEN_APP), state.value == _PRESENTATION)


def _macos_fullscreen() -> bool:
    """Whether the frontmost program has a window as large as the main screen, menu bar included."""
    try:
        import Quartz  # type: ignore[import-not-found,unused-ignore]  # macOS only, brought by pystray
        from AppKit import NSWorkspace  # type: ignore[import-not-found,unused-ignore]  # likewise
    except ImportError:
        return False
    front = NSWorkspace.sharedWorkspace().frontmostApplication()
    screen = Quartz.CGDisplayBounds(Quartz.CGMainDisplayID()).size
    shown = Quartz.CGWindowListCopyWindowInfo(Quartz.kCGWindowListOptionOnScreenOnly, Quartz.kCGNullWindowID) or ()
    return any(
        window["kCGWindowOwnerPID"] == front.processIdentifier()
        and window["kCGWindowLayer"] == 0
        and window["kCGWindowBounds"]["Width"] >= screen.width
        and window["kCGWindowBounds"]["Height"] >= screen.height
        for window in shown
    )


def _x11_fullscreen() -> bool:
    """Whether the active window reports full screen (EWMH). False without an X display or a compliant window manager."""
    try:
        x = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    x.XDefaultRootWindow.restype = ctypes.c_ulong
    x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x.XInternAtom.restype = ctypes.c_ulong
    x.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x.XOpenDisplay(None)
    if not display:
        return False
    # The window may be closed before the query: without our handler Xlib would end the process.
    handler = _HANDLER(lambda _display, _event: 0)
    x.XSetErrorHandler.argtypes = [_HANDLER]
    x.XSetErrorHandler.restype = ctypes.c_void_p
    before = x.XSetErrorHandler(handler)
    try:
        (active, *_) = _longs(x, display, x.XDefaultRootWindow(display), b"_NET_ACTIVE_WINDOW") or [0]
        fullscreen = x.XInternAtom(display, b"_NET_WM_STATE_FULLSCREEN", 0)
        return bool(active) and fullscreen in _longs(x, display, active, b"_NET_WM_STATE")
    finally:
        x.XSetErrorHandler(ctypes.cast(before, _HANDLER))
        x.XCloseDisplay(display)


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def _longs(x: ctypes.CDLL, display: int, window: int, name: bytes) -> list[int]:
    """A window's property of 32-bit items (which Xlib gives as longs); empty if it has none."""
    kind, width = ctypes.c_ulong(), ctypes.c_int()
    count, left = ctypes.c_ulong(), ctypes.c_ulong()
    data = ctypes.POINTER(ctypes.c_ulong)()
    x.XGetWindowProperty.argtypes = [
        ctypes.c_void_p,
        ctypes.c_ulong,
        ctypes.c_ulong,
        ctypes.c_long,
        ctypes.c_long,
        ctypes.c_int,
        ctypes.c_ulong,
        *[ctypes.c_void_p] * 5,
    ]
    x.XFree.argtypes = [ctypes.c_void_p]
    answers = [ctypes.byref(each) for each in (kind, width, count, left, data)]
    if x.XGetWindowProperty(display, window, x.XInternAtom(display, name, 0), 0, 64, 0, 0, *answers) != 0 or width.value != 32:
        return []
    try:
        return [data[index] for index in range(count.value)]
    finally:
        x.XFree(data)


def session_locked() -> bool:
    """Whether the session is locked or another user's is in front. Some milliseconds; False where the system does not tell."""
    if sys.platform == "win32":
        return _windows_locked()
    if sys.platform == "darwin":
        return _macos_locked()
    return session_bus.screen_locked()


_SWITCH = 0x0100  # DESKTOP_SWITCHDESKTOP


def _windows_locked() -> bool:
    """Whether the desktop that receives input is not this session's."""
    user32: Any = ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]  # Windows only
    user32.OpenInputDesktop.restype = ctypes.c_void_p
    user32.SwitchDesktop.argtypes = user32.CloseDesktop.argtypes = [ctypes.c_void_p]
    desktop = user32.OpenInputDesktop(0, False, _SWITCH)
    if not desktop:
        return True
    try:
        return not user32.SwitchDesktop(desktop)
    finally:
        user32.CloseDesktop(desktop)


def _macos_locked() -> bool:
    try:
        import Quartz  # type: ignore[import-not-found,unused-ignore]  # macOS only, brought by pystray
    except ImportError:
        return False
    session = Quartz.CGSessionCopyCurrentDictionary()
    # Without one, this session has no active user.
    return session is None or bool(session.get("CGSSessionScreenIsLocked")) or not session.get("kCGSSessionOnConsoleKey", True)
