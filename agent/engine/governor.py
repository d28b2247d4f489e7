"""Decides how hard the engine may work: the computer belongs to its user, and to what else runs on it."""

from dataclasses import dataclass
from enum import StrEnum

from agent.core.settings import OnBattery

# Two bounds each, so that a figure near one does not switch back and forth.
PAUSE_BELOW, RESUME_FROM = 20.0, 25.0  # percent of the battery
BUSY_FROM, CALM_BELOW = 0.6, 0.3  # share of all cores that other programs use


class Throttle(StrEnum):
    """Why the engine does not work as hard as it might."""

    BATTERY = "battery"
    BATTERY_LOW = "battery_low"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Power:
    """Where the computer's power comes from. `percent` is None where no battery tells."""

    on_battery: bool = False
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard the engine may work."""

    one_core: bool = False
    low_priority: bool = False
    paused: bool = False
    why: Throttle | None = None


FULL = Pace()


def decide(before: Pace, power: Power, others: float, policy: OnBattery) -> Pace:
    """The next pace. `others` is the share of all cores (0 to 1) that other programs used lately."""
    if power.on_battery and policy is not OnBattery.NORMAL:
        if policy is OnBattery.PAUSE:
            return Pace(paused=True, why=Throttle.BATTERY)
        bound = RESUME_FROM if before.why is Throttle.BATTERY_LOW else PAUSE_BELOW
        if power.percent is not None and power.percent < bound:
            return Pace(paused=True, why=Throttle.BATTERY_LOW)
        return Pace(one_core=True, low_priority=True, why=Throttle.BATTERY)
    if others >= (CALM_BELOW if before.why is Throttle.BUSY else BUSY_FROM):
        return Pace(low_priority=True, why=Throttle.BUSY)
    return FULL
