"""Limits the engine's load: the user's other programs take precedence."""

from dataclasses import dataclass
from enum import StrEnum

import psutil

from agent.infrastructure.core.settings import OnBattery

# Two thresholds each, so that a value near one does not switch back and forth.
PAUSE_BELOW, RESUME_FROM = 20.0, 25.0  # percent of the battery
BUSY_FROM, CALM_BELOW = 0.6, 0.3  # share of all cores that other programs use


class Throttle(StrEnum):
    """Why the engine is slowed down."""

    BATTERY = "battery"
    BATTERY_LOW = "battery_low"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Power:
    """The computer's power source. `percent` is None without battery information."""

    on_battery: bool = False
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """The engine's allowed load."""

    one_core: bool = False
    low_priority: bool = False
    paused: bool = False
    why: Throttle | None = None


FULL = Pace()


def decide(before: Pace, power: Power, others: float, policy: OnBattery) -> Pace:
    """Return the next pace. `others` is the recent share of all cores (0 to 1) used by other programs."""
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


# -- Reads the computer's power source ---------------------------------------------------------------------------------------------
def read_power() -> Power:
    """Read it now; missing information counts as mains."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (psutil.Error, OSError, ValueError):
        return Power()  # a battery with nonsense values, as in some virtual machines
    if battery is None:
        return Power()
    # None: the state of a charger is unknown.
    return Power(on_battery=battery.power_plugged is False, percent=float(battery.percent))
