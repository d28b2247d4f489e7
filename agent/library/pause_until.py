"""A time that was asked for: for so long something rests, also after a restart."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Protocol

CLOCK_SLACK = timedelta(seconds=5)  # what a clock is put right by every day is no news


class Notes(Protocol):
    """Where numbers are kept; both block and raise StoreError. Implementation: the library."""

    def note(self, name: str) -> int | None: ...

    def take_notes(self, notes: Mapping[str, int | None]) -> None: ...


class Span:
    """Kept as seconds since 1970, under `name`_asked_at and `name`_until."""

    def __init__(self, name: str, clock: Callable[[], datetime], notes: Notes) -> None:
        self._names = f"{name}_asked_at", f"{name}_until"
        self._clock = clock
        self._notes = notes
        self._span: tuple[datetime, datetime] | None = None  # asked for at, holds until

    def remember(self) -> None:
        """Take up what was asked for before the restart. Blocks; raises StoreError."""
        asked_at, until = map(self._notes.note, self._names)
        if asked_at is not None and until is not None:
            self._span = datetime.fromtimestamp(asked_at, UTC), datetime.fromtimestamp(until, UTC)

    def ask(self, lasts: timedelta | None) -> None:
        """From now on; None ends it. Blocks; raises StoreError, and then all stays as it was."""
        now = self._clock()
        span = None if lasts is None else (now, now + lasts)
        seconds = (None, None) if span is None else tuple(int(at.timestamp()) for at in span)
        self._notes.take_notes(dict(zip(self._names, seconds, strict=True)))
        self._span = span

    @property
    def asked(self) -> bool:
        """Also if it is over by now."""
        return self._span is not None

    def until(self) -> datetime | None:
        """Its end, which may have passed; None if nothing was asked for."""
        if self._span is None:
            return None
        (asked_at, until), now = self._span, self._clock()
        if now < asked_at - CLOCK_SLACK:
            # The clock went back: nobody asked for more than this, so it is counted from now on.
            until = now + (until - asked_at)
            self._span = now, until
        return until
