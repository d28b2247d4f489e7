"""Takes what desks found in photos that stay with them, and gives it back."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from agent.domain.edits import EditStep
from agent.domain.events import StoredEvent
from agent.features.people.editor import PeopleEditor
from agent.interfaces.web.desk_photos import PhotoResult, PhotoTaken
from agent.server.devices.remote_photo_queries import DeskPhotoQueries
from agent.server.libraries.library_choice import LibraryChoice


class DeskPhotos:
    """`publish` announces events."""

    def __init__(
        self,
        library: DeskPhotoQueries,
        people: PeopleEditor,
        libraries: LibraryChoice,
        publish: Callable[[Iterable[StoredEvent]], None],
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

        def write() -> tuple[EditStep, list[StoredEvent]]:
            return self._library.give_back(contents, desk, now=self._clock())

        await self._people.change(write)
