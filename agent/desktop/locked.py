"""Whether the session is locked: a locked session's screen is not watched."""

import ctypes
import sys
from typing import Any

from agent.desktop import session_bus


def session_locked() -> bool:
    """Whether the session is locked or another user's is in front. Some milliseconds; False where the system does not tell."""
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _macos()
    return session_bus.screen_locked()


_SWITCH = 0x0100  # DESKTOP_SWITCHDESKTOP


def _windows() -> bool:
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


def _macos() -> bool:
    try:
        import Quartz  # type: ignore[import-not-found,unused-ignore]  # macOS only, brought by pystray
    except ImportError:
        return False
    session = Quartz.CGSessionCopyCurrentDictionary()
    # Without one, this session has no active user.
    return session is None or bool(session.get("CGSSessionScreenIsLocked")) or not session.get("kCGSSessionOnConsoleKey", True)
