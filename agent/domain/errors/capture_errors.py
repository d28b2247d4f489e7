"""Failures of a screen capture."""

from agent.domain.errors.error_tree import AgentError


class CaptureError(AgentError):
    """The screen could not be captured: nothing was stored or copied."""


class ScreenUnavailable(CaptureError):
    """No screen is available, or not to this program."""

    code = "capture.no_screen"


class CaptureRefused(CaptureError):
    """The system, or the user in its dialog, does not allow it."""

    code = "capture.refused"


class CaptureFailed(CaptureError):
    """The screen returned no picture: it changed, was locked, or disappeared meanwhile."""

    code = "capture.failed"


class MonitorUnknown(CaptureError):
    """The monitor does not exist. Parameters: `number`, the requested monitor; `count`, the number of monitors."""

    code = "capture.no_monitor"


class RegionOutside(CaptureError):
    """The region is outside all screens."""

    code = "capture.outside"


class CaptureGone(CaptureError):
    """The capture was discarded, or was open for too long, and its pixels are gone."""

    code = "capture.gone"


class PortalMissing(CaptureError):
    """On Wayland only the desktop's portal can capture the screen, and no portal responds."""

    code = "capture.no_portal"


class CaptureCancelled(CaptureError):
    """Nothing was selected."""

    code = "capture.cancelled"


class WholeOnly(CaptureError):
    """The desktop provides all screens together or the selection in its own window, and nothing in between."""

    code = "capture.whole_only"


class NoWindow(CaptureError):
    """No window is active, or the system does not report which."""

    code = "capture.no_window"


class WatchUnavailable(CaptureError):
    """On this desktop the user must allow each picture of the screen."""

    code = "capture.watch_unavailable"


class ClipboardFailed(CaptureError):
    code = "capture.clipboard"
