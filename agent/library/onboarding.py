"""The welcome of a new user: whether it is still to come, and how far somebody got with it."""

from collections.abc import Callable, Mapping
from typing import Protocol

DONE = "first_run_done"


class Notes(Protocol):
    """Where it is noted that it is done; both block and raise StoreError. Implementation: the library."""

    def noted(self, name: str) -> bool: ...
    def take_notes(self, notes: Mapping[str, int | None]) -> None: ...


class Beginning:
    """All methods block. `watches` says whether any folder is watched: then nobody needs a welcome.

    `read` and `write` keep what was chosen so far until it is done, also over the program's end; None is nothing.
    """

    def __init__(
        self, notes: Notes, watches: Callable[[], bool], read: Callable[[], str | None], write: Callable[[str | None], None]
    ) -> None:
        self._notes = notes
        self._watches = watches
        self._read = read
        self._write = write

    def needed(self) -> bool:
        """Until it is done. Raises StoreError."""
        return not self._watches() and not self._notes.noted(DONE)

    def chosen(self) -> str | None:
        """What `keep` was told last, if it is still needed. Raises StoreError."""
        return self._read() if self.needed() else None

    def keep(self, chosen: str) -> None:
        """What comes late, when it is done, is let go. Raises StoreError."""
        if self.needed():
            self._write(chosen)

    def done(self) -> None:
        """Raises StoreError."""
        self._notes.take_notes({DONE: 1})
        self._write(None)
