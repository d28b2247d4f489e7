"""The welcome of a new user: whether it is pending, and its progress."""

from collections.abc import Callable

from agent.library.queries.library_queries import LibraryQueries

DONE = "first_run_done"


class Onboarding:
    """All methods block. `watches` returns whether any folder is watched: then no welcome is needed.

    `read` and `write` store the choices so far, also over the program's end; None is nothing.
    """

    def __init__(
        self, library: LibraryQueries, watches: Callable[[], bool], read: Callable[[], str | None], write: Callable[[str | None], None]
    ) -> None:
        self._library = library
        self._watches = watches
        self._read = read
        self._write = write

    def needed(self) -> bool:
        """Return whether it is pending. Raises StoreError."""
        return not self._watches() and not self._library.noted(DONE)

    def chosen(self) -> str | None:
        """Return the last choices of `keep`, if it is pending. Raises StoreError."""
        return self._read() if self.needed() else None

    def keep(self, chosen: str) -> None:
        """Store choices; late ones, after the end, are ignored. Raises StoreError."""
        if self.needed():
            self._write(chosen)

    def done(self) -> None:
        """Complete the welcome. Raises StoreError."""
        self._library.take_notes({DONE: 1})
        self._write(None)
