"""Whether every page of the library can be read: looked at now and then, and remembered beside it for the next command."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.core.files import write_private
from agent.store.database import Database
from agent.store.opening import DATABASE_FILE

CHECKED_FILE = "checked"
EVERY = timedelta(days=1)
SMALL_BYTES = 32 * 2**20  # read in a tenth of a second: checked whenever it changed
_SOUND, _DAMAGED = b"sound\n", b"damaged\n"


class Soundness:
    """Of the library in `folder`. All methods block."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / CHECKED_FILE
        self._database = folder / DATABASE_FILE

    @property
    def damaged(self) -> bool:
        """Whether the last look found damage."""
        try:
            return self._file.read_bytes() == _DAMAGED
        except OSError:
            return False

    @property
    def small(self) -> bool:
        """Whether the library is read in a moment. Raises OSError."""
        return self._database.stat().st_size <= SMALL_BYTES

    def due(self, now: datetime) -> bool:
        """Whether to look again: a day has passed, damage was found, or the library is small and has changed."""
        try:
            checked, database = self._file.stat(), self._database.stat()
        except OSError:
            return True
        age = now - datetime.fromtimestamp(checked.st_mtime, UTC)
        changed = self.small and database.st_mtime > checked.st_mtime
        return changed or self.damaged or not timedelta() <= age < EVERY

    def look(self, database: Database) -> bool:
        """Read all of it; True if it is sound. Raises StoreError."""
        sound = database.sound()
        with suppress(OSError):  # a full disk, or one that can't be written to: the next command looks again
            write_private(self._file, _SOUND if sound else _DAMAGED)
        return sound

    def forget(self) -> None:
        """Another library takes its place."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)
