"""Checks now and then whether every page of the library is readable, and keeps the result beside it for the next command."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.infrastructure.core.files import write_private
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.open_library import DATABASE_FILE

CHECKED_FILE = "checked"
EVERY = timedelta(days=1)
SMALL_BYTES = 32 * 2**20  # read in a tenth of a second: checked after every change
_SOUND, _DAMAGED = b"sound\n", b"damaged\n"


class Soundness:
    """The integrity of the library in `folder`. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CHECKED_FILE
        self._database = folder / DATABASE_FILE

    @property
    def damaged(self) -> bool:
        """Whether the last check found damage."""
        try:
            return self._file.read_bytes() == _DAMAGED
        except OSError:
            return False

    @property
    def small(self) -> bool:
        """Whether the library is small enough to read in a moment. Raises OSError."""
        return self._database.stat().st_size <= SMALL_BYTES

    def due(self, now: datetime) -> bool:
        """Whether to check again: a day has passed, damage was found, or the library is small and has changed."""
        try:
            checked, database = self._file.stat(), self._database.stat()
        except OSError:
            return True
        age = now - datetime.fromtimestamp(checked.st_mtime, UTC)
        changed = self.small and database.st_mtime > checked.st_mtime
        return changed or self.damaged or not timedelta() <= age < EVERY

    def look(self, database: Database) -> bool:
        """Read all of it; True if it is intact. Raises StoreError."""
        sound = database.sound()
        with suppress(OSError):  # a full or read-only disk: the next command checks again
            write_private(self._file, _SOUND if sound else _DAMAGED)
        return sound

    def forget(self) -> None:
        """Drop the result: another library replaces this one."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
