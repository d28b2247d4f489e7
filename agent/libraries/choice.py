"""Which library something goes to, by its name; one that need not be named is the only one within the request's reach."""

from collections.abc import Callable, Sequence

from agent.core.reach import current_reach
from agent.domain.errors import UploadLibrary


class LibraryChoice:
    """`libraries` are the server's, by id and name."""

    def __init__(self, libraries: Callable[[], Sequence[tuple[int, str]]]) -> None:
        self._libraries = libraries

    def names(self) -> list[str]:
        """Return the names of those within reach."""
        return [name for _, name in self._within_reach()]

    def meant(self, name: str) -> int | None:
        """Return the library; None if the server has none. Raises UploadLibrary."""
        there = [number for number, each in self._within_reach() if not name or each.casefold() == name.casefold()]
        if len(there) == 1:
            return there[0]
        if not there and not name and current_reach() is None:
            return None
        raise UploadLibrary

    def _within_reach(self) -> list[tuple[int, str]]:
        reach = current_reach()
        return [each for each in self._libraries() if reach is None or each[0] in reach.libraries]
