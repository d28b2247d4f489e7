"""When pieces of the database's log were given up, because a repository took none for too long.

pgBackRest says so once, in the database's messages; PostgreSQL counts such pieces as arrived, and no repository lists what it lacks.
What came after them can't be restored until the next backup.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.log_rotation import LogReader, Position
from agent.infrastructure.store.backup_dates import is_future

MARK: Final = "log-given-up"
_SAID: Final = b"dropped WAL file"


class WalGapLog:
    """All methods block and raise StoreError."""

    def __init__(self, messages: Path, mark: Path, clock: Callable[[], datetime]) -> None:
        """`mark` keeps when it was, and how far the messages were read then."""
        self._messages = messages
        self._mark = mark
        self._clock = clock
        self._reader: LogReader | None = None

    def at(self) -> datetime | None:
        """Return when that was last noticed."""
        return self._known()[0]

    def follow(self) -> None:
        """Look through the messages since the last time."""
        at, position = self._known()
        if self._reader is None:
            self._reader = LogReader(self._messages, position)
        now = self._clock()
        is_told = at is not None and is_future(at, now)  # by a clock that was wrong: it was before now
        try:
            if [line for line in self._reader.lines() if _SAID in line]:
                is_told, position = True, self._reader.position
            if is_told and position is not None:
                mark = {"at": now.isoformat(), "read": position.read, "head": position.head}
                write_private(self._mark, json.dumps(mark).encode())
        except OSError as error:
            self._reader = None
            raise store_error(error) from error

    def _known(self) -> tuple[datetime | None, Position | None]:
        try:
            if not self._mark.exists():
                return None, None
            known = json.loads(self._mark.read_bytes())
        except OSError as error:
            raise store_error(error) from error
        # Earlier versions kept no head: their messages were never rotated.
        return datetime.fromisoformat(known["at"]), Position(int(known["read"]), known.get("head"))
