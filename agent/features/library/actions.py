"""The user's actions on one or many images, and their undo; and on files that were not scanned."""

import asyncio
import os
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import IO, TypeVar

from agent.domain.errors import AgentError, BucketNoFile, Forbidden, ImageError, ImageMissing, ImageOnlineOnly, ImageUnreadable, NotFound
from agent.domain.events import FavouritesChanged, ImagesHidden, StoredEvent
from agent.domain.jobs import JobState
from agent.domain.path_text import is_remote
from agent.features.library.queries.library_queries import LibraryQueries
from agent.inference.engine.fd_passing import opened
from agent.infrastructure.core.abandonable_calls import ANSWER_S, call_with_timeout
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.service_context import Environment
from agent.interfaces.web.access import Scope

T = TypeVar("T")

NOT_ANALYSED = (JobState.FAILED, JobState.QUARANTINED, JobState.DEFERRED)


@dataclass(frozen=True, slots=True)
class Original:
    """A readable file and its format: "jpeg", "heic", ..."""

    path: str
    format: str
    file: IO[bytes] | None = None  # of an object in a bucket, or one that must not be another by then: its reader closes it


class Actions:
    def __init__(
        self,
        library: LibraryQueries,
        environment: Environment,
        *,
        online_only: Callable[[str], bool],
        open_item: Callable[[str], int] = open_photo,
    ) -> None:
        self.queued = ChangeSignal()
        """images are to be analysed again"""
        self._library = library
        self._bus, self._clock, self._settings = environment.bus, environment.clock, environment.settings
        self._online_only = online_only
        self._open_item = open_item

    async def hide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        """Hide images. Return the undo token (None if nothing changed), and the number of changed images."""
        return await self._mark(partial(self._library.set_hidden, image_ids, True))

    async def unhide(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_hidden, image_ids, False))

    async def favourite(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_favourite, image_ids, True))

    async def unfavourite(self, image_ids: Sequence[int]) -> tuple[str | None, int]:
        return await self._mark(partial(self._library.set_favourite, image_ids, False))

    async def _mark(self, change: Callable[..., tuple[str | None, list[StoredEvent]]]) -> tuple[str | None, int]:
        token, happened = await asyncio.to_thread(change, now=self._clock())
        self._bus.publish(happened)
        return token, sum(each.event.count for each in happened if isinstance(each.event, ImagesHidden | FavouritesChanged))

    async def rescan(self, image_ids: Sequence[int]) -> int:
        """Scan images again. Return how many have a file."""
        count = await asyncio.to_thread(self._library.rescan, image_ids, now=self._clock())
        self.queued.notify()
        return count

    async def file_of(self, image_id: int) -> str:
        """Return the path of a file with the image, to show or open it.

        Raises NotFound, ImageMissing, ImageUnreadable; BucketNoFile if it is in a bucket alone.
        """
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        path = await _of_drive(partial(_first_there, [path for _, path in image.places]))
        if path is None:
            raise BucketNoFile if any(is_remote(path) for _, path in image.places) else ImageMissing
        return path

    async def original(self, image_id: int) -> Original:
        """Return the file itself, or if there is none the object in a bucket.

        Raises NotFound, ImageMissing, ImageUnreadable, BucketError; ImageOnlineOnly, because reading would download it; and Forbidden if
        a face on it is covered for this member.
        """
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        if await asyncio.to_thread(self._library.faces_kept_back, image_id):
            raise Forbidden(scope=Scope.CONSENT_READ)
        files = [path for _, path in image.places if not is_remote(path)]
        remote = [path for _, path in image.places if is_remote(path)]
        try:
            return Original(await _of_drive(partial(_first_readable, files, self._online_only)), image.format)
        except ImageError:
            if not remote:
                raise
        limit_s = self._settings.value.engine.time_limit_s + ANSWER_S
        for path in remote:
            try:
                descriptor = await opened(partial(self._open_item, path), limit=limit_s)
                return Original(path, image.format, os.fdopen(descriptor, "rb", buffering=0))
            except AgentError:
                if path is remote[-1]:
                    raise
        raise ImageMissing

    async def readable(self, path: str) -> str:
        """Return the path if the file can be read. Raises ImageMissing, ImageUnreadable, ImageOnlineOnly."""
        return await _of_drive(partial(_first_readable, [path], self._online_only))

    async def file_of_problem(self, place_id: int) -> str:
        """Return the path of a file that was not analysed, to show it. Raises NotFound, ImageMissing, ImageUnreadable."""
        place = await asyncio.to_thread(self._library.place_by_id, place_id)
        if place is None or place.job not in NOT_ANALYSED:
            raise NotFound
        if await _of_drive(partial(_first_there, [place.path])) is None:
            raise ImageMissing
        return place.path


async def _of_drive(question: Callable[[], T]) -> T:
    """Query the drive. Raises ImageUnreadable if it does not respond."""
    try:
        return await call_with_timeout(question, ANSWER_S)
    except TimeoutError:
        raise ImageUnreadable from None


def _first_readable(paths: Sequence[str], online_only: Callable[[str], bool]) -> str:
    """Return the first readable local file. Raises ImageMissing, or the error of the last existing one."""
    problem: AgentError = ImageMissing()
    for path in paths:
        try:
            # Checked before opening, and opened before it is returned; a pipe, for example, might never respond.
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


class Problems:
    """Files that were not scanned: failed, quarantined or online-only."""

    def __init__(self, library: LibraryQueries) -> None:
        self.queued = ChangeSignal()
        """some are to be scanned again"""
        self.changed = ChangeSignal()
        """there is less to tell of them"""
        self._library = library

    async def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Retry failed and quarantined files: these, or all. Return the number."""
        count = await asyncio.to_thread(self._library.retry, place_ids)
        self.queued.notify()
        return count

    async def fetch(self, place_id: int | None = None) -> int:
        """Scan this online-only file, or all of them: reading makes the system download them. Return the number."""
        count = await asyncio.to_thread(self._library.retry_deferred, place_id)
        self.queued.notify()
        return count

    async def clear(self, place_id: int | None = None) -> int:
        """Clear failed and quarantined files, or this one, from the list. Return the number."""
        count = await asyncio.to_thread(self._library.clear_problems, place_id)
        self.changed.notify()
        return count
