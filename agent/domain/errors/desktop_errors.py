"""What the desktop may lack; the rest works without it."""

from agent.domain.errors.error_tree import AgentError


class DesktopError(AgentError):
    """The desktop lacks something; the rest works without it."""


class NoTray(DesktopError):
    code = "desktop.no_tray"


class LibraryMissing(DesktopError):
    """What draws the popup and the tray icon can't be loaded without the system's `library`."""

    code = "desktop.library_missing"


class NoDisplay(DesktopError):
    code = "desktop.no_display"


class PopupFailed(DesktopError):
    code = "desktop.popup_failed"


class HotkeyTaken(DesktopError):
    """Another program has the key combination `keys`, or the keyboard has no such key."""

    code = "desktop.hotkey_taken"


class HotkeyUnavailable(DesktopError):
    """Here no program can have a key combination of its own, such as `keys`."""

    code = "desktop.hotkey_unavailable"


class AutostartFailed(DesktopError):
    code = "desktop.autostart_failed"
