"""Reads the computer's power source."""

import psutil

from agent.engine.governor import Power


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
