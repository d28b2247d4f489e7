"""Where the computer's power comes from."""

import psutil

from agent.engine.governor import Power


def read_power() -> Power:
    """Asked anew each time; what no system tells counts as mains."""
    try:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    except (psutil.Error, OSError, ValueError):
        return Power()  # a battery that answers nonsense, as some virtual machines have
    if battery is None:
        return Power()
    # None: a charger's state that nobody knows.
    return Power(on_battery=battery.power_plugged is False, percent=float(battery.percent))
