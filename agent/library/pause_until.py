"""A pause until a requested time, which survives a restart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agent.library.queries.library_queries import LibraryQueries

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
        self._library.take_notes(dict(zip(self._names, seconds, strict=True)))
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
