"""Takes what desks found in photos that stay with them, and gives it back."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from agent.domain.edits import EditStep
from agent.domain.events import Recorded
from agent.features.people.naming import People
from agent.interfaces.web.desk_photos import PhotoResult, PhotoTaken
from agent.server.desks.photos import DeskPhotoQueries
from agent.server.libraries.library_choice import LibraryChoice


class DeskPhotos:
    """`publish` announces events."""

    def __init__(
        self,
        library: DeskPhotoQueries,
        people: People,
        libraries: LibraryChoice,
        publish: Callable[[Iterable[Recorded]], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
        self._people = people
        self.libraries = libraries
        self._publish = publish
        self._clock = clock

    async def take(self, items: Sequence[PhotoResult], library: str, desk: str, computer: str) -> list[PhotoTaken]:
        """Raises UploadLibrary, StoreError."""
        into = self.libraries.meant(library)
        taken, events = await asyncio.to_thread(self._library.take_photos, items, into, desk, computer, now=self._clock())
        self._publish(events)
        return taken

    async def give_back(self, contents: Sequence[str], desk: str) -> None:
        """Raises StoreError."""

        def write() -> tuple[EditStep, list[Recorded]]:
            return self._library.give_back(contents, desk, now=self._clock())

        await self._people.change(write)
