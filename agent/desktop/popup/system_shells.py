"""The popup's window on Windows and macOS, and the choice of the system's shell."""

import json
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from agent.desktop.popup.picker_shell import PickerPane
from agent.desktop.popup.window_backend import HEIGHT, LOAD_S, WIDTH, Shell, is_ours
from agent.desktop.system.work_area import MARGIN, Rect, frame, mac_area, windows_area
from agent.infrastructure.core.settings import Corner


class SystemPicker:
    """`make` creates a hidden frameless window that loads a page (pywebview's `create_window`).

    `stand` positions a window while hidden: pywebview's own `move` and `resize` count from the window's original screen (macOS), or in
    units of its scale, and show it (Windows).
    """

    def __init__(self, make: Callable[..., Any], stand: Callable[[Any, Rect], None]) -> None:
        self._make = make
        self._stand = stand
        self._windows: list[Any] = []
        self._filled: list[Any] = []
        self._page = ""

    def warm(self, url: str) -> bool:
        if not self._page:
            self._page = self._loaded(url).partition("#")[0]  # the code was for the first page
        return bool(self._page)

    def fill(self, panes: Sequence[PickerPane]) -> None:
        while len(self._windows) < len(panes):
            self._loaded(self._page)
        self._filled = self._windows[: len(panes)]
        for window, pane in zip(self._filled, panes, strict=True):
            self._stand(window, pane.rect)
            window.evaluate_js(f"location.hash = {json.dumps(pane.at)}")

    def reveal(self) -> None:
        for window in self._filled:
            window.show()

    def conceal(self) -> None:
        for window in self._windows:
            window.hide()
            window.evaluate_js("location.hash = ''")
        self._filled = []

    def _loaded(self, url: str) -> str:
        """The loaded page's address for a new window; empty if it did not load."""
        window = self._make("AI Popup", url, hidden=True, frameless=True, easy_drag=False, resizable=False, on_top=True, min_size=(1, 1))
        self._windows.append(window)
        found = str(window.get_current_url() or "") if window.events.loaded.wait(LOAD_S) else ""
        return found if is_ours(found) else ""


def shell_for(window: Any) -> Shell:
    """The shell of this system around pywebview's window."""
    if sys.platform == "win32":
        import ctypes

        # A separate copy: pywebview calls the shared one with other argument types.
        user32 = ctypes.WinDLL("user32")
        handle, number = ctypes.c_void_p, ctypes.c_int
        user32.SetWindowPos.argtypes = [handle, handle, number, number, number, number, ctypes.c_uint]
        user32.MonitorFromPoint.restype = handle
        return WindowsShell(window, user32, ctypes.WinDLL("shcore"))
    if sys.platform == "darwin":
        import AppKit
        from PyObjCTools import AppHelper

        return MacShell(window, AppKit, AppHelper.callAfter)
    from agent.desktop.popup.qt_shell import QtShell

    return QtShell(window)


def _new_window(*named: Any, **more: Any) -> Any:
    import webview

    return webview.create_window(*named, **more)


class PlainShell:
    """Shared by Windows and macOS: pywebview's loading and dialog. It has no hook before a page loads: pages are checked after."""

    def __init__(self, window: Any) -> None:
        self._window = window
        self._picker = SystemPicker(_new_window, self._stand)

    def picker(self) -> SystemPicker:
        return self._picker

    def _stand(self, window: Any, at: Rect) -> None:
        """Position one of our windows, in the system's own unit, without showing it."""
        raise NotImplementedError  # each system has its own

    def load(self, url: str) -> bool:
        self._window.load_url(url)
        return bool(self._window.events.loaded.wait(LOAD_S)) and is_ours(self._window.get_current_url() or "")

    def choose_folder(self, title: str, language: str, chosen: Callable[[str | None], None]) -> None:
        import webview

        def ask() -> None:
            paths = self._window.create_file_dialog(webview.FileDialog.FOLDER)
            chosen(paths[0] if paths else None)

        threading.Thread(target=ask, name="folder-dialog", daemon=True).start()


class WindowsShell(PlainShell):
    """pywebview's `show` activates the window; SetWindowPos can move and show it in one step without changing the focus."""

    _EXSTYLE, _TOOLWINDOW, _NOACTIVATE = -20, 0x80, 0x0800_0000
    _TOPMOST = -1
    _NOSIZE, _NOMOVE, _NOZORDER, _NO_ACTIVATION, _SHOW, _HIDE = 0x1, 0x2, 0x4, 0x10, 0x40, 0x80

    def __init__(self, window: Any, user32: Any, shcore: Any) -> None:
        super().__init__(window)
        self._user32 = user32
        self._shcore = shcore

    def present(self, corner: Corner) -> None:
        handle = _handle(self._window)
        style = self._user32.GetWindowLongW(handle, self._EXSTYLE)
        # pywebview created it as a window that can never be activated; the user must be able to type in it after a click.
        self._window.focus = True
        self._user32.SetWindowLongW(handle, self._EXSTYLE, (style | self._TOOLWINDOW) & ~self._NOACTIVATE)
        area, scale = windows_area(self._user32, self._shcore)
        at = frame(area, round(WIDTH * scale), round(HEIGHT * scale), corner, round(MARGIN * scale))
        self._stand(self._window, at)
        self._user32.SetWindowPos(handle, self._TOPMOST, at.x, at.y, at.w, at.h, self._NO_ACTIVATION | self._SHOW)

    def conceal(self) -> None:
        flags = self._NOSIZE | self._NOMOVE | self._NOZORDER | self._NO_ACTIVATION | self._HIDE
        self._user32.SetWindowPos(_handle(self._window), 0, 0, 0, 0, 0, flags)

    def _stand(self, window: Any, at: Rect) -> None:
        # Twice: a window that moves to a monitor of another scale is resized on the way.
        for _ in range(2):
            self._user32.SetWindowPos(_handle(window), self._TOPMOST, at.x, at.y, at.w, at.h, self._NO_ACTIVATION)


def _handle(window: Any) -> int:
    return int(window.native.Handle.ToInt32())


class MacShell(PlainShell):
    """pywebview's `show` brings the whole program to the front; `orderFrontRegardless` shows only the window."""

    def __init__(self, window: Any, appkit: Any, call_after: Callable[..., None]) -> None:
        super().__init__(window)
        self._appkit = appkit
        self._call_after = call_after
        # An accessory app has no icon in the Dock.
        call_after(appkit.NSApplication.sharedApplication().setActivationPolicy_, 1)

    def present(self, corner: Corner) -> None:
        self._call_after(self._present, corner)

    def conceal(self) -> None:
        self._call_after(self._window.native.orderOut_, None)

    def _present(self, corner: Corner) -> None:
        native = self._window.native
        native.focus = True  # pywebview's own flag: from now on a click may make it the key window
        self._place(native, frame(mac_area(self._appkit), WIDTH, HEIGHT, corner))
        native.orderFrontRegardless()

    def _stand(self, window: Any, at: Rect) -> None:
        self._call_after(self._place, window.native, at)

    def _place(self, native: Any, at: Rect) -> None:
        height = self._appkit.NSScreen.screens()[0].frame().size.height
        native.setFrame_display_(((at.x, height - at.y - at.h), (at.w, at.h)), True)  # Cocoa counts from the lower left
