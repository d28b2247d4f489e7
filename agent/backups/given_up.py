"""When pieces of the database's log were given up, because a repository took none for too long.

pgBackRest says so once, in the database's messages; PostgreSQL counts such pieces as arrived, and no repository lists what it lacks.
What came after them can't be restored until the next backup.
"""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from agent.core.files import store_error, write_private

MARK: Final = "log-given-up"
_SAID: Final = b"dropped WAL file"


class GivenUpLog:
    """All methods block and raise StoreError."""

    def __init__(self, messages: Path, mark: Path, clock: Callable[[], datetime]) -> None:
        """`mark` keeps when it was, and how far the messages were read then."""
        self._messages = messages
        self._mark = mark
        self._clock = clock
        self._read: int | None = None

    def at(self) -> datetime | None:
        """Return when that was last noticed."""
        return self._known()[0]

    def follow(self) -> None:
        """Look through the messages since the last time."""
        if self._read is None:
            self._read = self._known()[1]
        try:
            read, found = _search(self._messages, self._read)
            if found:
                write_private(self._mark, json.dumps({"at": self._clock().isoformat(), "read": read}).encode())
        except OSError as error:
            raise store_error(error) from error
        self._read = read

    def _known(self) -> tuple[datetime | None, int]:
        try:
            if not self._mark.exists():
                return None, 0
            known = json.loads(self._mark.read_bytes())
        except OSError as error:
            raise store_error(error) from error
        return datetime.fromisoformat(known["at"]), int(known["read"])


def _search(messages: Path, start: int) -> tuple[int, bool]:
    """Return how far the whole lines from `start` reach, and whether one of them says it."""
    if not messages.exists():
        return 0, False
    found = False
    with messages.open("rb") as file:
        if file.seek(0, 2) < start:  # another file by now
            start = 0
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                break
            found = found or _SAID in line
            start += len(line)
    return start, found
