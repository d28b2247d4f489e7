"""Detects whether this session has a display and whether a tray icon can be shown, without risking the process."""

import builtins
import contextlib
import ctypes
import importlib
import os
import socket
import sys
import time
from pathlib import Path

from agent.desktop.system import session_bus
from agent.domain.errors import DesktopError, LibraryMissing, NoTray

_POLL_S = 0.5
_PER_MONITOR_V2 = ctypes.c_void_p(-4)  # DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2, since Windows 10 1703


def display_available() -> bool:
    """Whether windows can be shown: on Linux, whether a Wayland or X server accepts connections; elsewhere, the session's own desktop."""
    return _wayland_answers() or _x_answers() if sys.platform.startswith("linux") else True


def tray_available(wait_s: float = 0.0) -> bool:
    """Whether a tray icon can be shown. On Linux waits up to `wait_s` seconds for a tray: at login the panel may start after this program.

    Qt ends the whole process if it can't open the display or lacks a library, and decides for good at the first request which kind of
    tray exists. So both are checked here before Qt starts.
    """
    if not sys.platform.startswith("linux"):
        return True
    if not display_available() or qt_lacks() is not None:
        return False
    deadline = time.monotonic() + wait_s
    while not (session_bus.has_owner(session_bus.TRAY_WATCHER) or _xembed_tray()):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def prepare_scaling() -> None:
    """Have Windows leave the scaling to this process, for each monitor. Call it before the process has any window.

    Otherwise menus and windows are blurred on scaled monitors, and on several of different scales stand in wrong places.
    """
    if sys.platform == "win32":
        ctypes.windll.user32.SetProcessDpiAwarenessContext(_PER_MONITOR_V2)


def why_no_tray() -> DesktopError:
    """The reason why the icon can't be shown, after `tray_available` returned False."""
    library = qt_lacks() if display_available() else None
    return NoTray() if library is None else LibraryMissing(library=library)


def qt_lacks() -> str | None:
    """The first system library that Qt or its X plugin lacks; None if they load. Without one, Qt would call abort()."""
    ordinary = builtins.__import__
    try:
        import PySide6
        import PySide6.QtWidgets

        # For a switch that this program does not use, Qt's binding reads the source of every module imported after it: 16 MB when idle.
        builtins.__import__ = ordinary

        if os.environ.get("DISPLAY") and not _wayland_answers():
            ctypes.CDLL(str(Path(str(PySide6.__file__)).parent / "Qt" / "plugins" / "platforms" / "libqxcb.so"))
    except (ImportError, OSError) as error:
        return missing_library(error)
    return None


def missing_library(error: ImportError | OSError) -> str:
    """The missing library, as named by the system's loader."""
    name, told, _ = str(error).partition(": cannot open shared object file")
    return name if told else "Qt"


def web_view_missing() -> bool:
    """Whether Windows lacks WebView2: pywebview would take Internet Explorer instead, in which the pages stay white."""
    if sys.platform != "win32":
        return False
    renderer: str = importlib.import_module("webview.platforms.winforms").renderer
    return renderer != "edgechromium"


def _wayland_answers() -> bool:
    name = os.environ.get("WAYLAND_DISPLAY")
    return bool(name) and _connects(str(Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere")) / str(name)))


def _x_answers() -> bool:
    host, _, screen = os.environ.get("DISPLAY", "").rpartition(":")
    number = screen.partition(".")[0]
    if not number.isdigit():
        return False
    if host not in ("", "unix"):
        with contextlib.suppress(OSError), socket.create_connection((host, 6000 + int(number)), timeout=2):
            return True
        return False
    path = f"/tmp/.X11-unix/X{number}"
    return _connects(path) or _connects("\0" + path)


def _connects(address: str) -> bool:
    if sys.platform == "win32":
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(2)
        client.connect(address)
        return True
    return False


def _xembed_tray() -> bool:
    """Whether an X client owns the tray selection of the default screen. False if the display can't be opened."""
    try:
        x = ctypes.CDLL("libX11.so.6")
    except OSError:
        return False
    x.XOpenDisplay.restype = ctypes.c_void_p
    x.XInternAtom.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]
    x.XInternAtom.restype = ctypes.c_ulong
    x.XGetSelectionOwner.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    x.XGetSelectionOwner.restype = ctypes.c_ulong
    x.XDefaultScreen.argtypes = [ctypes.c_void_p]
    x.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = x.XOpenDisplay(None)
    if not display:
        return False
    try:
        selection = x.XInternAtom(display, f"_NET_SYSTEM_TRAY_S{x.XDefaultScreen(display)}".encode(), 0)
        return bool(x.XGetSelectionOwner(display, selection))
    finally:
        x.XCloseDisplay(display)
