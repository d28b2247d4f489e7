"""When no popup is wanted: while it is put off for some time, and in the hours of every day that the settings name."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Protocol

from agent.settings import Popup

# Notes of the library, in seconds since 1970: a quiet time that was asked for holds also after a restart.
ASKED_AT, QUIET_UNTIL = "quiet_asked_at", "quiet_until"
CLOCK_SLACK = timedelta(seconds=5)  # what a clock is put right by every day is no news


class Notes(Protocol):
    """Where numbers are kept; both block and raise StoreError. Implementation: the library."""

    def note(self, name: str) -> int | None: ...
    def take_notes(self, notes: Mapping[str, int | None]) -> None: ...


class Quiet:
    """`clock` gives the time with its zone; hours of the day are this computer's."""

    def __init__(self, settings: Callable[[], Popup], clock: Callable[[], datetime], notes: Notes) -> None:
        self._settings = settings
        self._clock = clock
        self._notes = notes
        self._span: tuple[datetime, datetime] | None = None  # asked for at, holds until

    def remember(self) -> None:
        """Take up what was asked for before the restart. Blocks; raises StoreError."""
        asked_at, until = self._notes.note(ASKED_AT), self._notes.note(QUIET_UNTIL)
        if asked_at is not None and until is not None:
            self._span = datetime.fromtimestamp(asked_at, UTC), datetime.fromtimestamp(until, UTC)

    def put_off(self, minutes: int | None) -> None:
        """No popup for so many minutes; None ends that. Blocks; raises StoreError, and then all stays as it was."""
        now = self._clock()
        span = None if minutes is None else (now, now + timedelta(minutes=minutes))
        seconds = (None, None) if span is None else tuple(int(at.timestamp()) for at in span)
        self._notes.take_notes(dict(zip((ASKED_AT, QUIET_UNTIL), seconds, strict=True)))
        self._span = span

    @property
    def timed(self) -> bool:
        """Whether a quiet time may begin or end by itself."""
        return self._span is not None or bool(self._settings().quiet_from)

    def until(self) -> datetime | None:
        """When popups come again; None if they do now."""
        now = self._clock()
        ends = [end for end in (self._put_off_until(now), hours_end(self._settings(), now)) if end is not None and end > now]
        return max(ends, default=None)

    def _put_off_until(self, now: datetime) -> datetime | None:
        if self._span is None:
            return None
        asked_at, until = self._span
        if now < asked_at - CLOCK_SLACK:
            # The clock went back: nobody asked for more quiet than this, so it is counted from now on.
            until = now + (until - asked_at)
            self._span = now, until
        return until


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
