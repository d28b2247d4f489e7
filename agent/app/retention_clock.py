"""The moment by which data is deleted for its age: a clock that is suddenly far ahead counts only once it has stayed so for a day."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from agent.infrastructure.core.files import write_private

log = structlog.get_logger()

CLOCK_FILE: Final = "clock-seen"
_LEAP: Final = timedelta(days=7)
_STAYS: Final = timedelta(days=1)


class RetentionClock:
    """Its file in `folder` outlives a restart. Where that can't be written, the clock counts as it is. Calls block."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / CLOCK_FILE

    def until(self, now: datetime) -> datetime:
        """Return `now`, or the last moment that counted while the clock is more than a week ahead of it and wasn't a day ago."""
        counted, leapt = self._read()
        if counted is None or now - counted <= _LEAP or (leapt is not None and now - leapt >= _STAYS):
            self._write(now)
            return now
        if leapt is None or leapt > now:
            log.warning("upkeep.clock_leapt", days=(now - counted).days)
            self._write(counted, now)
        return counted

    def _read(self) -> tuple[datetime | None, datetime | None]:
        try:
            counted, *leapt = map(datetime.fromisoformat, self._path.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            return None, None
        return counted, leapt[0] if leapt else None

    def _write(self, *moments: datetime) -> None:
        try:
            write_private(self._path, "\n".join(each.isoformat() for each in moments).encode("ascii"))
        except OSError as error:
            log.warning("upkeep.clock_not_noted", kind=type(error).__name__)
