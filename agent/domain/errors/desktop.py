"""What the desktop may lack; the rest works without it."""

from agent.domain.errors.tree import AgentError


class DesktopError(AgentError):
    """The desktop lacks something; the rest works without it."""


class NoTray(DesktopError):
    code = "desktop.no_tray"


class NoDisplay(DesktopError):
    code = "desktop.no_display"


class PopupFailed(DesktopError):
    code = "desktop.popup_failed"


class AutostartFailed(DesktopError):
    code = "desktop.autostart_failed"
