"""Missing desktop features; the rest works without them."""

from agent.domain.errors.error_tree import AgentError


class DesktopError(AgentError):
    """A desktop feature is missing; the rest works without it."""


class NoTray(DesktopError):
    code = "desktop.no_tray"


class LibraryMissing(DesktopError):
    """The popup and the tray icon can't be loaded without the system library `library`."""

    code = "desktop.library_missing"


class WebViewMissing(DesktopError):
    """This Windows lacks WebView2, which shows the popup."""

    code = "desktop.web_view_missing"


class NoDisplay(DesktopError):
    code = "desktop.no_display"


class NothingOpens(DesktopError):
    """The desktop has no program for this kind of file, folder or address, or the program failed."""

    code = "desktop.nothing_opens"


class PopupFailed(DesktopError):
    code = "desktop.popup_failed"


class HotkeyTaken(DesktopError):
    """Another program uses the key combination `keys`, or the keyboard has no such key."""

    code = "desktop.hotkey_taken"


class HotkeyUnavailable(DesktopError):
    """On this desktop, programs can't register a key combination such as `keys`."""

    code = "desktop.hotkey_unavailable"


class AutostartFailed(DesktopError):
    code = "desktop.autostart_failed"
