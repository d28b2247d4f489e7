"""What can stand in the way of a capture of the screen."""

from agent.domain.errors.error_tree import AgentError


class CaptureError(AgentError):
    """The screen could not be captured: nothing of it was kept, and nothing was copied."""


class ScreenUnavailable(CaptureError):
    """No screen answers, or not to this program."""

    code = "capture.no_screen"


class CaptureRefused(CaptureError):
    """The system, or the user asked by it, does not allow it."""

    code = "capture.refused"


class CaptureFailed(CaptureError):
    """The screen gave no picture: it changed, was locked, or went away meanwhile."""

    code = "capture.failed"


class MonitorUnknown(CaptureError):
    """Parameters: `number`, the monitor asked for; `count`, how many there are."""

    code = "capture.no_monitor"


class RegionOutside(CaptureError):
    """Nothing of the region lies on a screen."""

    code = "capture.outside"


class CaptureGone(CaptureError):
    """The capture was discarded, or was open for too long, and its pixels are gone."""

    code = "capture.gone"


class PortalMissing(CaptureError):
    """On Wayland only the desktop's portal takes pictures of the screen, and none answers."""

    code = "capture.no_portal"


class CaptureCancelled(CaptureError):
    """Nothing was chosen."""

    code = "capture.cancelled"


class WholeOnly(CaptureError):
    """The desktop gives all screens together or what is chosen in its own window, and nothing in between."""

    code = "capture.whole_only"


class NoWindow(CaptureError):
    """No window is in use, or the system does not say which."""

    code = "capture.no_window"


class WatchUnavailable(CaptureError):
    """This desktop shows programs its screen only when the user allows each picture."""

    code = "capture.watch_unavailable"


class ClipboardFailed(CaptureError):
    code = "capture.clipboard"
