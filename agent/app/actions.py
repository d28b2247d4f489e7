"""What the user does with images, one or many at once, and takes back."""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.app.bus import Bus
from agent.app.ports import Library
from agent.domain.errors import ImageMissing, NotFound
from agent.domain.events import ImagesHidden

PROBLEMS_SHOWN = 200  # of the newest the user hears one by one


class Actions:
    """`queued` is called when images are to be analysed again."""

    def __init__(self, library: Library, bus: Bus, *, queued: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._library = library
        self._bus = bus
        self._queued = queued
        self._clock = clock

    async def hide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        """Returns the token that takes it back (None if nothing changed), and how many changed."""
        return await self._set_hidden(image_ids, True)

    async def unhide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._set_hidden(image_ids, False)

    async def _set_hidden(self, image_ids: Sequence[int], hidden: bool) -> tuple[str | None, int]:
        token, happened = await asyncio.to_thread(self._library.set_hidden, image_ids, hidden, now=self._clock())
        self._bus.publish(happened)
        return token, sum(each.event.count for each in happened if isinstance(each.event, ImagesHidden))

    async def look_again(self, image_ids: Sequence[int]) -> int:
        """Have images analysed anew. Returns how many have a file to look at."""
        count = await asyncio.to_thread(self._library.look_again, image_ids, now=self._clock())
        self._queued()
        return count

    async def undo(self, token: str) -> None:
        """Raises NotFound if it was taken back already, or too long ago."""
        happened = await asyncio.to_thread(self._library.undo, token, now=self._clock())
        if happened is None:
            raise NotFound
        self._bus.publish(happened)

    async def file_of(self, image_id: int) -> str:
        """The path of a file that holds the image, to show it or to open it. Raises NotFound, ImageMissing."""
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        path = await asyncio.to_thread(_first_there, [path for _, path in image.places])
        if path is None:
            raise ImageMissing
        return path

    async def file_of_problem(self, place_id: int) -> str:
        """The path of a file that could not be analysed, to show it. Raises NotFound, ImageMissing."""
        places = await asyncio.to_thread(self._library.problems, limit=PROBLEMS_SHOWN)
        path = next((place.path for place in places if place.place_id == place_id), None)
        if path is None:
            raise NotFound
        if await asyncio.to_thread(_first_there, [path]) is None:
            raise ImageMissing
        return path


def _first_there(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if os.path.lexists(path)), None)
