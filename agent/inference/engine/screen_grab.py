"""Screenshots through mss, connected before the sandbox is raised and used inside it."""

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from agent.domain.errors import CaptureFailed, CaptureRefused, MonitorUnknown, RegionOutside, ScreenUnavailable
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion

_GRAPHICS = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"


class Grabber(Protocol):
    """A source of screenshots."""

    def monitors(self) -> tuple[Monitor, ...]:
        """Raises CaptureFailed."""
        ...

    def grab(self, ref: ScreenRef) -> tuple[int, int, bytearray]:
        """Width, height and pixels: four bytes each (blue, green, red and an unused one).

        Raises MonitorUnknown, RegionOutside, CaptureRefused, CaptureFailed.
        """
        ...


class NoScreen:
    """The grabber without a screen that this process may look at."""

    def monitors(self) -> tuple[Monitor, ...]:
        raise ScreenUnavailable

    def grab(self, ref: ScreenRef) -> tuple[int, int, bytearray]:
        raise ScreenUnavailable


class MssScreen:
    """A connection to the screen. Monitors are listed anew each time: one may have been plugged in."""

    def __init__(self, mss: Any, allowed: Callable[[], bool]) -> None:
        """`allowed`: whether the system lets this program see more than its own windows."""
        self._mss = mss
        self._allowed = allowed

    def monitors(self) -> tuple[Monitor, ...]:
        everything, *monitors = self._rectangles()
        # With a single monitor, or a server that can't tell, the union of all monitors is the only entry.
        found = monitors or [everything]
        scale = self._scale(found[0])
        first = next((number for number, each in enumerate(found, 1) if each.get("is_primary")), 1)
        return tuple(
            Monitor(
                number,
                round((each["left"] - everything["left"]) * scale),
                round((each["top"] - everything["top"]) * scale),
                round(each["width"] * scale),
                round(each["height"] * scale),
                scale,
                number == first,
                each["left"],
                each["top"],
            )
            for number, each in enumerate(found, 1)
        )

    def grab(self, ref: ScreenRef) -> tuple[int, int, bytearray]:
        if not self._allowed():
            raise CaptureRefused
        everything, *monitors = self._rectangles()
        known = [everything, *(monitors or [everything])]
        if ref.monitor >= len(known):
            raise MonitorUnknown(number=ref.monitor, count=len(known) - 1)
        whole = known[ref.monitor]
        scale = self._scale(known[1])
        region = ref.region or ScreenRegion(0, 0, round(whole["width"] * scale), round(whole["height"] * scale))
        inside = ScreenRegion.clipped(
            *(round(side / scale) for side in (region.x, region.y, region.w, region.h)), within=(whole["width"], whole["height"])
        )
        if inside is None:
            raise RegionOutside
        where = {"left": whole["left"] + inside.x, "top": whole["top"] + inside.y, "width": inside.w, "height": inside.h}
        shot = self._asked(lambda: self._mss.grab(where))
        return shot.width, shot.height, shot.raw

    def _rectangles(self) -> list[dict[str, Any]]:
        def read() -> list[dict[str, Any]]:
            self._mss._monitors = None  # mss lists them only once and offers no way to refresh
            return list(self._mss.monitors)

        found: list[dict[str, Any]] = self._asked(read)
        if not found or min(found[0]["width"], found[0]["height"]) < 1:
            raise CaptureFailed
        return found

    def _scale(self, monitor: dict[str, Any]) -> float:
        """Pixels per unit: only macOS counts in other units."""
        if sys.platform != "darwin":
            return 1.0
        corner = {"left": monitor["left"], "top": monitor["top"], "width": 1, "height": 1}
        return float(self._asked(lambda: self._mss.grab(corner)).width)

    @staticmethod
    def _asked(question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # mss's own exceptions, and any from the system's library
            raise CaptureFailed from error


def connect() -> Grabber:
    """The screen of this process's environment. Call it before the sandbox is raised: inside it no connection can be made."""
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        return NoScreen()
    try:
        import mss

        return MssScreen(mss.MSS(), _may_record)
    except Exception:  # no server, or one with an unknown pixel format
        return NoScreen()


def _may_record(load: Callable[[str], Any] = ctypes.CDLL) -> bool:
    """Whether macOS lets this program record. Without permission it returns pictures without windows, which are useless."""
    if sys.platform != "darwin":
        return True
    graphics = load(_GRAPHICS)
    graphics.CGPreflightScreenCaptureAccess.restype = graphics.CGRequestScreenCaptureAccess.restype = ctypes.c_bool
    return bool(graphics.CGPreflightScreenCaptureAccess() or graphics.CGRequestScreenCaptureAccess())
