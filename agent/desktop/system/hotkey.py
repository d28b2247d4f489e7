"""A key combination that reaches this program regardless of the active window, where the system supports it."""

import ctypes
import os
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from ctypes import wintypes
from typing import Any, Protocol

from agent.desktop.system.display import display_available
from agent.domain.errors import HotkeyTaken, HotkeyUnavailable

_START_S = 5.0


class Hotkey(Protocol):
    def close(self) -> None:
        """Release it. Blocks for a moment."""
        ...


def hotkey(keys: str, pressed: Callable[[], None]) -> Hotkey:
    """Register the combination, such as `Ctrl+Shift+F9`; `pressed` is called in a separate thread. Blocks for a moment.

    Raises HotkeyTaken if another program has it, HotkeyUnavailable where global hotkeys don't exist.
    """
    if sys.platform == "win32":
        return WindowsHotkey(keys, pressed)
    if sys.platform.startswith("linux") and os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return X11Hotkey(keys, pressed)
    raise HotkeyUnavailable(keys=keys)


class X11Hotkey:
    """The X server delivers the key before any window sees it. Lock keys are modifiers: it is grabbed with each of them too."""

    _LOCK, _NUM_LOCK = 1 << 1, 1 << 4
    _MASKS: Mapping[str, int] = {"Shift": 1 << 0, "Ctrl": 1 << 2, "Alt": 1 << 3, "Super": 1 << 6}

    def __init__(self, keys: str, pressed: Callable[[], None]) -> None:
        from Xlib import XK, X, display, error

        *modifiers, key = keys.split("+")
        self._pressed = pressed
        if not display_available():
            raise HotkeyUnavailable(keys=keys)
        try:
            self._display = display.Display()
        except (error.DisplayError, OSError) as reason:
            raise HotkeyUnavailable(keys=keys) from reason
        code = self._display.keysym_to_keycode(XK.string_to_keysym(key if len(key) > 1 else key.lower()))
        mask, root = sum(self._MASKS[each] for each in modifiers), self._display.screen().root
        refused = error.CatchError(error.BadAccess)
        for locks in (0, self._LOCK, self._NUM_LOCK, self._LOCK | self._NUM_LOCK):
            root.grab_key(code, mask | locks, False, X.GrabModeAsync, X.GrabModeAsync, onerror=refused)
        self._display.sync()
        if not code or refused.get_error() is not None:
            self._display.close()
            raise HotkeyTaken(keys=keys)
        self._key_press, self._key_release = X.KeyPress, X.KeyRelease
        self._ended, self._end = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, name="hotkey", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._end.close()
        self._thread.join()
        self._ended.close()

    def _listen(self) -> None:
        import select

        from Xlib.error import ConnectionClosedError

        released = None
        try:
            while True:
                while self._display.pending_events():
                    event = self._display.next_event()
                    if event.type == self._key_release:
                        released = event.time
                    # A held key repeats, each time released and pressed in the same millisecond.
                    elif event.type == self._key_press and event.time != released:
                        self._pressed()
                ready, _, _ = select.select([self._display, self._ended], [], [])
                if self._ended in ready:
                    self._display.close()  # which also releases the key
                    return
        except (ConnectionClosedError, OSError):
            return  # the server is gone, and no key can be pressed


class WindowsHotkey:
    """Windows posts a message to the thread that registered the combination. `load` opens a DLL."""

    _MASKS: Mapping[str, int] = {"Alt": 1, "Ctrl": 2, "Shift": 4, "Super": 8}
    _NO_REPEAT, _HOTKEY, _QUIT, _PRINT = 0x4000, 0x0312, 0x0012, 0x2C

    def __init__(self, keys: str, pressed: Callable[[], None], *, load: Callable[[str], Any] | None = None) -> None:
        load = load or getattr(ctypes, "WinDLL")  # noqa: B009 - there is none on other systems, where this is only read
        self._user, self._kernel = load("user32"), load("kernel32")
        self._pressed = pressed
        self._ready = threading.Event()
        self._taken = False
        self._thread_id = 0
        *modifiers, key = keys.split("+")
        mask = sum(self._MASKS[each] for each in modifiers) | self._NO_REPEAT
        self._thread = threading.Thread(target=self._listen, args=(mask, self._code(key)), name="hotkey", daemon=True)
        self._thread.start()
        self._ready.wait(_START_S)
        if not self._taken:
            raise HotkeyTaken(keys=keys)

    def close(self) -> None:
        self._user.PostThreadMessageW(self._thread_id, self._QUIT, 0, 0)
        self._thread.join(_START_S)

    def _code(self, key: str) -> int:
        if key == "Print":
            return self._PRINT
        return ord(key) if len(key) == 1 else 0x6F + int(key[1:])  # F1 is 0x70

    def _listen(self, mask: int, code: int) -> None:
        self._thread_id = int(self._kernel.GetCurrentThreadId())
        self._taken = bool(self._user.RegisterHotKey(None, 1, mask, code))
        self._ready.set()
        message = wintypes.MSG()
        while self._taken and self._user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
            if message.message == self._HOTKEY:
                self._pressed()
        self._user.UnregisterHotKey(None, 1)
