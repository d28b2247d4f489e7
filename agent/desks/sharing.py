"""Takes what desks found in photos that stay with them, and gives it back."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from agent.core.reach import current_reach
from agent.desks.photos import DeskPhotoQueries
from agent.domain.edits import EditStep
from agent.domain.errors import UploadLibrary
from agent.domain.events import Recorded
from agent.people.naming import People
from agent.web.desk_photos import PhotoResult, PhotoTaken


class DeskPhotos:
    """`libraries` are the server's, by id and name; `publish` announces events."""

    def __init__(
        self,
        library: DeskPhotoQueries,
        people: People,
        libraries: Callable[[], Sequence[tuple[int, str]]],
        publish: Callable[[Iterable[Recorded]], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
        self._people = people
        self._libraries = libraries
        self._publish = publish
        self._clock = clock

    def libraries(self) -> list[str]:
        """Return the names of those to which the request may add photos."""
        return [name for _, name in self._within_reach()]

    async def take(self, items: Sequence[PhotoResult], library: str, desk: str, computer: str) -> list[PhotoTaken]:
        """Raises UploadLibrary, StoreError."""
        into = self.meant(library)
        taken, events = await asyncio.to_thread(self._library.take_photos, items, into, desk, computer, now=self._clock())
        self._publish(events)
        return taken

    async def give_back(self, contents: Sequence[str], desk: str) -> None:
        """Raises StoreError."""

        def write() -> tuple[EditStep, list[Recorded]]:
            return self._library.give_back(contents, desk, now=self._clock())

        await self._people.change(write)

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
