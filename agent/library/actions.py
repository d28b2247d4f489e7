"""What the user does with images, one or many at once, and takes back."""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from agent.core.call_with_timeout import ANSWER_S, aside
from agent.core.environment import Environment
from agent.core.observable import Notice
from agent.domain.errors import AgentError, ImageMissing, ImageOnlineOnly, ImageUnreadable, NotFound
from agent.domain.events import FavouritesChanged, ImagesHidden, Recorded
from agent.domain.jobs import JobState
from agent.library.queries.library_queries import LibraryQueries

T = TypeVar("T")

NOT_ANALYSED = (JobState.FAILED, JobState.QUARANTINED, JobState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Original:
    """A file that can be read, and its format: "jpeg", "heic", ..."""

    path: str
    format: str


class Actions:
    def __init__(self, library: LibraryQueries, environment: Environment, *, online_only: Callable[[str], bool]) -> None:
        self.queued = Notice()
        """images are to be analysed again"""
        self._library = library
        self._bus, self._clock = environment.bus, environment.clock
        self._online_only = online_only

    async def hide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        """Returns the token that takes it back (None if nothing changed), and how many changed."""
        return await self._mark(partial(self._library.set_hidden, image_ids, True))

    async def unhide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_hidden, image_ids, False))

    async def favourite(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_favourite, image_ids, True))

    async def unfavourite(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_favourite, image_ids, False))

    async def _mark(self, change: Callable[..., tuple[str | None, list[Recorded]]]) -> tuple[str | None, int]:
        token, happened = await asyncio.to_thread(change, now=self._clock())
        self._bus.publish(happened)
        return token, sum(each.event.count for each in happened if isinstance(each.event, ImagesHidden | FavouritesChanged))

    async def look_again(self, image_ids: Sequence[int]) -> int:
        """Have images analysed anew. Returns how many have a file to look at."""
        count = await asyncio.to_thread(self._library.look_again, image_ids, now=self._clock())
        self.queued.notify()
        return count

    async def file_of(self, image_id: int) -> str:
        """The path of a file that holds the image, to show it or to open it. Raises NotFound, ImageMissing, ImageUnreadable."""
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        path = await _of_drive(partial(_first_there, [path for _, path in image.places]))
        if path is None:
            raise ImageMissing
        return path

    async def original(self, image_id: int) -> Original:
        """The file itself. Raises NotFound, ImageMissing, ImageUnreadable; ImageOnlineOnly, because reading it would fetch it."""
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        path = await _of_drive(partial(_first_readable, [path for _, path in image.places], self._online_only))
        return Original(path, image.format)

    async def readable(self, path: str) -> str:
        """Return the path if the file can be read. Raises ImageMissing, ImageUnreadable, ImageOnlineOnly."""
        return await _of_drive(partial(_first_readable, [path], self._online_only))

    async def file_of_problem(self, place_id: int) -> str:
        """The path of a file that was not analysed, to show it. Raises NotFound, ImageMissing, ImageUnreadable."""
        place = await asyncio.to_thread(self._library.place_by_id, place_id)
        if place is None or place.job not in NOT_ANALYSED:
            raise NotFound
        if await _of_drive(partial(_first_there, [place.path])) is None:
            raise ImageMissing
        return place.path


async def _of_drive(question: Callable[[], T]) -> T:
    """Raises ImageUnreadable for a drive that does not answer."""
    try:
        return await aside(question, ANSWER_S)
    except TimeoutError:
        raise ImageUnreadable from None


def _first_readable(paths: Sequence[str], online_only: Callable[[str], bool]) -> str:
    """The first file that is here and may be read. Raises ImageMissing, or what ails the last one that is there."""
    problem: AgentError = ImageMissing()
    for path in paths:
        try:
            # Told before it is opened, and opened before anything is promised; what is no file, such as a pipe, might never answer.
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a path may hold surrogate escapes and is a string throughout
                problem = ImageUnreadable()
            elif online_only(path):
                problem = ImageOnlineOnly()
            else:
                with open(path, "rb"):  # noqa: PTH123 - as above
                    return path
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError):
            problem = ImageUnreadable()
    raise problem


def _first_there(paths: Sequence[str]) -> str | None:
    return next((path for path in paths if os.path.lexists(path)), None)
