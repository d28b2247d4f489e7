"""Do not disturb: for a chosen time, and in the daily hours of the settings."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import PopupSettings

CLOCK_SLACK = timedelta(seconds=5)  # ignores daily clock corrections


class PauseUntil:
    """Stored as seconds since 1970, under `name`_asked_at and `name`_until."""

    def __init__(self, name: str, clock: Callable[[], datetime], library: LibraryQueries) -> None:
        self._names = f"{name}_asked_at", f"{name}_until"
        self._clock = clock
        self._library = library
        self._span: tuple[datetime, datetime] | None = None  # requested at, lasts until

    def remember(self) -> None:
        """Restore the state from before the restart. Blocks; raises StoreError."""
        asked_at, until = map(self._library.note, self._names)
        if asked_at is not None and until is not None:
            self._span = datetime.fromtimestamp(asked_at, UTC), datetime.fromtimestamp(until, UTC)

    def ask(self, lasts: timedelta | None) -> None:
        """Start now; None ends it. Blocks; raises StoreError without changing anything."""
        now = self._clock()
        span = None if lasts is None else (now, now + lasts)
        seconds = (None, None) if span is None else tuple(int(at.timestamp()) for at in span)
        self._library.set_flags(dict(zip(self._names, seconds, strict=True)))
        self._span = span

    @property
    def asked(self) -> bool:
        """Return whether one was requested, even if it is over."""
        return self._span is not None

    def until(self) -> datetime | None:
        """Return its end, which may have passed; None if there is none."""
        if self._span is None:
            return None
        (asked_at, until), now = self._span, self._clock()
        if now < asked_at - CLOCK_SLACK:
            # The clock went back: the pause must not last longer than requested, so it counts from now.
            until = now + (until - asked_at)
            self._span = now, until
        return until


class DoNotDisturb:
    """Hours of the day use this computer's clock."""

    def __init__(self, environment: Environment, library: LibraryQueries) -> None:
        self.changed = ChangeSignal()
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
