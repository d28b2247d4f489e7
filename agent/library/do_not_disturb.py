"""Do not disturb: for a chosen time, and in the daily hours of the settings."""

import asyncio
from datetime import datetime, time, timedelta

from agent.core.environment import Environment
from agent.core.observable import Notice
from agent.core.settings import PopupSettings
from agent.library.pause_until import PauseUntil
from agent.library.queries.library_queries import LibraryQueries


class DoNotDisturb:
    """Hours of the day use this computer's clock."""

    def __init__(self, environment: Environment, library: LibraryQueries) -> None:
        self.changed = Notice()
        self._environment = environment
        self._asked = PauseUntil("quiet", environment.clock, library)

    def remember(self) -> None:
        """Restore the state from before the restart. Blocks; raises StoreError."""
        self._asked.remember()

    async def put_off(self, minutes: int | None) -> None:
        """Suppress popups for that many minutes, also after a restart; None ends it. Raises StoreError without changing anything."""
        await asyncio.to_thread(self._asked.ask, None if minutes is None else timedelta(minutes=minutes))
        self.changed.notify()

    @property
    def timed(self) -> bool:
        """Return whether a quiet time may begin or end by the clock."""
        return self._asked.asked or bool(self._environment.settings.value.popup.quiet_from)

    def until(self) -> datetime | None:
        """Return when popups are shown again; None if they are now."""
        now = self._environment.clock()
        ends = [
            end for end in (self._asked.until(), hours_end(self._environment.settings.value.popup, now)) if end is not None and end > now
        ]
        return max(ends, default=None)


def hours_end(settings: PopupSettings, now: datetime) -> datetime | None:
    """Return the end of the quiet hours that contain `now`."""
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
