"""Decides when a condition has lasted long enough for its alert to fire, and when it has been over long enough for the alert to end."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from agent.alerts.kinds import FACTS, AlertKind
from agent.alerts.records import Reading


class Hysteresis:
    """Within the hold time of its kind, a condition that comes and goes changes nothing."""

    def __init__(self) -> None:
        self._other_since: dict[AlertKind, datetime] = {}  # since when the condition differs from what the alert says

    def changes(
        self, readings: Mapping[AlertKind, Reading], firing: Collection[AlertKind], hold: timedelta, now: datetime
    ) -> tuple[set[AlertKind], set[AlertKind]]:
        """Return the kinds that fire from now on, and those that end. A kind without a reading stays as it is."""
        for kind in self._other_since.keys() - readings.keys():
            del self._other_since[kind]  # it could not be looked at: what was seen before counts no longer
        begin, end = set[AlertKind](), set[AlertKind]()
        for kind, reading in readings.items():
            if reading.active is (kind in firing):
                self._other_since.pop(kind, None)
            elif now - self._other_since.setdefault(kind, now) >= FACTS[kind].hold * hold:
                del self._other_since[kind]
                (begin if reading.active else end).add(kind)
        return begin, end
