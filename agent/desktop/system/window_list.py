"""Lists visible windows, their programs, and the active one."""

import ctypes
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from ctypes import wintypes
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import psutil

from agent.desktop.system.display import display_available
from agent.domain.face import Box
from agent.domain.scene import Scene, Window
from agent.infrastructure.core.i18n import LANGUAGES, Texts

T = TypeVar("T")


class Windows(Protocol):
    """Implementations: one for each system, and none."""

    def front(self) -> Window | None: ...

    def scene(self) -> Scene: ...

    def rest(self) -> None:
        """Release resources: no query is expected for a while."""
        ...


def windows_of_the_desktop() -> Windows:
    """The window list of this desktop; it connects at the first query."""
    if sys.platform == "win32":
        return WindowsWindows()
    if sys.platform == "darwin":
        return MacWindows()
    return XWindows()


def seen(programs: tuple[str, ...], pid: int, area: Box, title: str) -> Window:
    """A window of that process: a page of this program in a browser also counts as this program's."""
    found, own = "", False
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        found, own = process.name(), os.getpid() in (pid, process.ppid())
    names = tuple(name for name in (*programs, found) if name)
    return Window(names, area, title, own or title.startswith(_own_titles()))


def _own_titles() -> tuple[str, ...]:
    return tuple(Texts(language)("app.name") for language in LANGUAGES)


class XWindows:
    """Windows of an EWMH window manager. The connection is kept: connecting takes longer than all queries."""

    def __init__(self) -> None:
        self._server: Any = None
        self._front: tuple[int, Window | None] = 0, None

    def front(self) -> Window | None:
        return self._asked(self._read_front, None)

    def scene(self) -> Scene:
        return self._asked(self._read_scene, Scene())

    def rest(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            with suppress(Exception):  # broken in any way
                server.close()

    def _asked(self, read: Callable[[Any], T], otherwise: T) -> T:
        """The result over the connection, reconnecting if necessary; `otherwise` without a connection."""
        from Xlib.error import XError

        try:
            if self._server is None:
                if not display_available():
                    return otherwise
                from Xlib import display

                self._server = display.Display()
            return read(self._server)
        except XError:  # a window closed in the meantime
            return otherwise
        except Exception:  # any error of the library over a broken or missing connection
            self.rest()
            return otherwise

    def _read_front(self, server: Any) -> Window | None:
        (number, *_) = self._numbers(server, server.screen().root, "_NET_ACTIVE_WINDOW") or [0]
        if number != self._front[0]:
            self._front = number, self._window(server, number) if number else None
        return self._front[1]

    def _read_scene(self, server: Any) -> Scene:
        root = server.screen().root
        stacked = self._numbers(server, root, "_NET_CLIENT_LIST_STACKING")
        windows = (self._shown(server, number) for number in reversed(stacked))
        return Scene(tuple(window for window in windows if window is not None))

    def _shown(self, server: Any, number: int) -> Window | None:
        """The window; None if it is hidden or closed."""
        from Xlib import X
        from Xlib.error import XError

        with suppress(XError):
            if server.create_resource_object("window", number).get_attributes().map_state == X.IsViewable:
                return self._window(server, number)
        return None

    def _window(self, server: Any, number: int) -> Window:
        window, root = server.create_resource_object("window", number), server.screen().root
        size, place = window.get_geometry(), root.translate_coords(window, 0, 0)
        (pid, *_) = self._numbers(server, window, "_NET_WM_PID") or [0]
        title = window.get_full_property(server.intern_atom("_NET_WM_NAME"), 0)
        text = bytes(title.value).decode("utf-8", "replace") if title is not None else str(window.get_wm_name() or "")
        return seen(tuple(window.get_wm_class() or ()), pid, Box(place.x, place.y, size.width, size.height), text)

    @staticmethod
    def _numbers(server: Any, window: Any, name: str) -> list[int]:
        found = window.get_full_property(server.intern_atom(name), 0)
        return [] if found is None or found.format != 32 else [int(each) for each in found.value]


_WITHOUT_SHADOW, _CLOAKED = 9, 14  # DWMWA_EXTENDED_FRAME_BOUNDS, DWMWA_CLOAKED
_LEFT, _TOP = 76, 77  # SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN: of all monitors together
_PER_MONITOR = ctypes.c_void_p(-3)  # DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE


class WindowsWindows:
    """In pixels, as the screen is grabbed, independent of the monitors' scales. `libraries` are user32 and dwmapi."""

    def __init__(self, libraries: Any = None) -> None:
        self._libraries = libraries

    def front(self) -> Window | None:
        number = self._asked().user32.GetForegroundWindow()
        return self._window(number) if number else None

    def scene(self) -> Scene:
        libraries, found = self._asked(), list[Window]()
        kind = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)  # type: ignore[attr-defined,unused-ignore]  # Windows only

        def each(number: int, _: int) -> bool:
            cloaked = wintypes.DWORD()
            libraries.dwmapi.DwmGetWindowAttribute(wintypes.HWND(number), _CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked))
            shown = libraries.user32.IsWindowVisible(wintypes.HWND(number)) and not libraries.user32.IsIconic(wintypes.HWND(number))
            if shown and not cloaked.value:
                found.append(self._window(number))
            return True

        libraries.user32.EnumWindows(kind(each), 0)  # the topmost first
        return Scene(tuple(found))

    def rest(self) -> None: ...

    def _window(self, number: int) -> Window:
        libraries, window = self._asked(), wintypes.HWND(number)
        pid, frame = wintypes.DWORD(), wintypes.RECT()
        libraries.user32.GetWindowThreadProcessId(window, ctypes.byref(pid))
        libraries.dwmapi.DwmGetWindowAttribute(window, _WITHOUT_SHADOW, ctypes.byref(frame), ctypes.sizeof(frame))
        kind, title = ctypes.create_unicode_buffer(256), ctypes.create_unicode_buffer(512)
        libraries.user32.GetClassNameW(window, kind, len(kind))
        libraries.user32.GetWindowTextW(window, title, len(title))
        left, top = (libraries.user32.GetSystemMetrics(edge) for edge in (_LEFT, _TOP))
        area = Box(frame.left - left, frame.top - top, frame.right - frame.left, frame.bottom - frame.top)
        return seen((kind.value,), pid.value, area, title.value)

    def _asked(self) -> Any:
        """A thread that is not DPI-aware gets the scaled desktop's origin, but a window's frame in pixels."""
        libraries = self._libraries or ctypes.windll  # type: ignore[attr-defined,unused-ignore]  # Windows only
        libraries.user32.SetThreadDpiAwarenessContext(_PER_MONITOR)
        return libraries


class MacWindows:
    def front(self) -> Window | None:
        try:
            from AppKit import NSWorkspace  # type: ignore[import-not-found,unused-ignore]  # macOS only, brought by pystray
        except ImportError:
            return None
        front = NSWorkspace.sharedWorkspace().frontmostApplication()
        return seen((str(front.localizedName()),), int(front.processIdentifier()), Box(0, 0, 0, 0), "")

    def scene(self) -> Scene:
        try:
            import Quartz  # type: ignore[import-not-found,unused-ignore]  # likewise
            from AppKit import NSScreen  # type: ignore[import-not-found,unused-ignore]  # likewise
        except ImportError:
            return Scene()
        scale = float(NSScreen.mainScreen().backingScaleFactor())
        everything = [Quartz.CGDisplayBounds(each) for each in Quartz.CGGetActiveDisplayList(16, None, None)[1]]
        left, top = min(each.origin.x for each in everything), min(each.origin.y for each in everything)
        found = []
        for window in Quartz.CGWindowListCopyWindowInfo(Quartz.kCGWindowListOptionOnScreenOnly, Quartz.kCGNullWindowID) or ():
            x, y, w, h = (float(window["kCGWindowBounds"][side]) for side in ("X", "Y", "Width", "Height"))
            area = Box((x - left) * scale, (y - top) * scale, w * scale, h * scale)
            programs = (str(window.get("kCGWindowOwnerName", "")),)
            told = seen(programs, int(window["kCGWindowOwnerPID"]), area, str(window.get("kCGWindowName") or ""))
            # The system places its own, empty windows over the whole screen.
            found.append(told if window["kCGWindowLayer"] == 0 or told.own else replace(told, area=Box(0, 0, 0, 0)))
        return Scene(tuple(found))

    def rest(self) -> None: ...
