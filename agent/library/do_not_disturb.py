"""When no popup is wanted: while it is put off for some time, and in the hours of every day that the settings name."""

import asyncio
from datetime import datetime, time, timedelta

from agent.core.environment import Environment
from agent.core.observable import Notice
from agent.core.settings import Popup
from agent.library.pause_until import Notes, Span


class Quiet:
    """Hours of the day are this computer's."""

    def __init__(self, environment: Environment, notes: Notes) -> None:
        self.changed = Notice()
        self._environment = environment
        self._asked = Span("quiet", environment.clock, notes)

    def remember(self) -> None:
        """Take up what was asked for before the restart. Blocks; raises StoreError."""
        self._asked.remember()

    async def put_off(self, minutes: int | None) -> None:
        """No popup for so many minutes, also after a restart; None ends that. Raises StoreError, and then all stays as it was."""
        await asyncio.to_thread(self._asked.ask, None if minutes is None else timedelta(minutes=minutes))
        self.changed.notify()

    @property
    def timed(self) -> bool:
        """Whether a quiet time may begin or end by itself."""
        return self._asked.asked or bool(self._environment.settings.value.popup.quiet_from)

    def until(self) -> datetime | None:
        """When popups come again; None if they do now."""
        now = self._environment.clock()
        ends = [
            end for end in (self._asked.until(), hours_end(self._environment.settings.value.popup, now)) if end is not None and end > now
        ]
        return max(ends, default=None)


def hours_end(settings: Popup, now: datetime) -> datetime | None:
    """The end of the quiet hours that `now` lies in."""
    if not settings.quiet_from or not settings.quiet_until:
        return None
    begin, end = time.fromisoformat(settings.quiet_from), time.fromisoformat(settings.quiet_until)
    local = now.astimezone()
    at = local.time()
    inside = begin <= at < end if begin < end else at >= begin or at < end
    if not inside or begin == end:
        return None
    day = local.date() if at < end else local.date() + timedelta(days=1)
    return datetime.combine(day, end).astimezone()
