"""Screen areas: monitors and regions; and whether the screen is watched."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from agent.domain.errors import AgentError

ALL_MONITORS: Final = 0

_NUMBER: Final = r"(0|[1-9]\d{0,5})"
_REGION: Final = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ScreenRegion:
    """A rectangle in captured pixels, from the top left of its monitor. Raises ValueError for an impossible one."""

    x: int
    y: int
    w: int
    h: int

    def __post_init__(self) -> None:
        if min(self.x, self.y) < 0 or min(self.w, self.h) < 1:
            raise ValueError

    def __str__(self) -> str:
        return f"{self.x},{self.y},{self.w},{self.h}"

    @classmethod
    def parse(cls, text: str) -> "ScreenRegion":
        """Parse `X,Y,W,H`. Raises ValueError."""
        found = _REGION.fullmatch(text)
        if found is None:
            raise ValueError
        return cls(*map(int, found.groups()))

    @classmethod
    def clipped(cls, left: int, top: int, width: int, height: int, *, within: tuple[int, int]) -> "ScreenRegion | None":
        """Return the part of a rectangle inside a picture of this width and height; None if there is none."""
        right, bottom = min(left + width, within[0]), min(top + height, within[1])
        left, top = max(0, left), max(0, top)
        return cls(left, top, right - left, bottom - top) if right > left and bottom > top else None


@dataclass(frozen=True, slots=True)
class ScreenRef:
    """A monitor, or a region of it; number 0 is all monitors in their arrangement."""

    monitor: int = ALL_MONITORS
    region: ScreenRegion | None = None  # None: the whole monitor


@dataclass(frozen=True, slots=True)
class Monitor:
    """One monitor, in captured pixels."""

    number: int  # 1 is the system's first; 0 all of them together
    x: int  # of its top left, from the top left of all monitors
    y: int
    w: int
    h: int
    scale: float = 1.0  # captured pixels per unit of the system's window coordinates: 2 on a Retina display, 1 if that unit is pixels
    primary: bool = False
    # Its top left, in the system's window coordinates: may be negative.
    left: int = 0
    top: int = 0

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Return left, top, width and height of a window that covers it, in the system's window coordinates."""
        return self.left, self.top, round(self.w / self.scale), round(self.h / self.scale)

    @property
    def region(self) -> ScreenRegion:
        """Return its area in the picture of all monitors."""
        return ScreenRegion(self.x, self.y, self.w, self.h)


class WatchState(StrEnum):
    OFF = "off"
    ON = "on"
    PAUSED = "paused"  # with all other work
    SNOOZED = "snoozed"
    BATTERY = "battery"  # it is nearly empty
    LOCKED = "locked"
    CALL = "call"  # a call is in front
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class WatchShown:
    """The state for the status page."""

    state: WatchState = WatchState.OFF
    until: datetime | None = None  # it is snoozed until then
    said: int = 0
    problem: AgentError | None = None
