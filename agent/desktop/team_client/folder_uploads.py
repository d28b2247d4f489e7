"""Sends the photos of uploaded folders to the team's server, each once, and has them removed there."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.photo_cursor import FolderWork, shared_areas
from agent.desktop.team_client.team_upload_queries import FAILED, SENT, THERE, TeamUploadQueries, UploadCandidate, UploadCounts
from agent.desktop.team_client.upload_connection import UploadConnection, opened
from agent.domain.errors import (
    AgentError,
    ImageChanged,
    ImageMissing,
    ImageOnlineOnly,
    ImageUnreadable,
    UploadChecksum,
    UploadShare,
    UploadTooLarge,
    UploadType,
    from_code,
    reason_of,
)
from agent.infrastructure.core.abandonable_calls import is_online_only_within_timeout
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Share
from agent.infrastructure.store.path_index import FolderArea

AT_ONCE: Final = 2
"""photos under way: one is read and checked by the server while the other one comes"""
_LOOK_S: Final = 5.0  # whether the work goes on after a pause by itself
_LAST_S: Final = 20.0


class TransferRate:
    """How fast photos go to the server just now: in the last seconds. `clock` gives seconds, from any start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._passed: deque[tuple[float, int]] = deque()

    def passed(self, size: int) -> None:
        """Note that so many bytes went."""
        self._passed.append((self._clock(), size))
        self._drop_old()

    @property
    def per_second(self) -> float:
        """Bytes per second; 0 while nothing goes."""
        self._drop_old()
        if not self._passed:
            return 0.0
        return sum(size for _, size in self._passed) / max(1.0, self._clock() - self._passed[0][0])

    def _drop_old(self) -> None:
        while self._passed and self._clock() - self._passed[0][0] > _LAST_S:
            self._passed.popleft()


@dataclass(frozen=True, slots=True)
class UploadState:
    counts: UploadCounts
    failures: tuple[tuple[int | None, AgentError], ...]
    """photos that can't be sent, by their image here: the first of them"""
    online_only: int
    rate: int
    """bytes per second"""
    left_s: int | None
    paused: bool


class _Interrupted(Exception):
    """The work was paused, or the folder is no longer uploaded."""


class FolderUploads(FolderWork):
    """`resting`: whether the agent's work is paused; `online_only`: whether reading a file would fetch it."""

    def __init__(
        self, library: TeamUploadQueries, environment: Environment, resting: Callable[[], bool], online_only: Callable[[str], bool]
    ) -> None:
        super().__init__(environment, "team.not_uploaded")
        self.library = library
        self._resting = resting
        self._online_only = online_only
        self._rate = TransferRate(environment.monotonic)
        self._passed_over: dict[int, AgentError] = {}  # by image: looked at again once something changes

    def begin_anew(self) -> None:
        super().begin_anew()
        self._passed_over.clear()

    def wake(self, _: object = None) -> None:
        """The work was paused or resumed."""
        self._wake.set()
        self.changed.notify()

    async def state(self) -> UploadState:
        counts = await asyncio.to_thread(self.library.counts, self._areas())
        failed = await asyncio.to_thread(self.library.failures) if counts.failed else []
        rate = self._rate.per_second
        passed_over = [(each, error) for each, error in self._passed_over.items() if not isinstance(error, ImageOnlineOnly)]
        return UploadState(
            counts,
            (*((each.image_id, from_code(each.code, dict(each.params))) for each in failed), *passed_over),
            len(self._passed_over) - len(passed_over),
            round(rate),
            ceil(counts.waiting_bytes / rate) if rate and counts.waiting else None,
            self._resting(),
        )

    async def retry(self) -> int:
        """Try the photos again that could not be sent. Returns their number."""
        count = await asyncio.to_thread(self.library.retry) + len(self._passed_over)
        self.begin_anew()
        return count

    async def take_back(self) -> int:
        """Have the server delete what was sent of folders that are no longer uploaded, if it is still here. Returns the number."""
        count = await asyncio.to_thread(self.library.take_back, self._areas())
        self.begin_anew()
        return count

    async def run(self, server: TeamConnection) -> None:
        """Until cancelled. Raises SignInRequired."""
        connection = UploadConnection(server)
        await self._repeat(lambda: self._step(connection))

    def _wanted(self) -> Mapping[str, list[FolderArea]]:
        return shared_areas(self._environment.settings.value, Share.UPLOAD)

    def _areas(self) -> list[FolderArea]:
        return [area for areas in self._wanted().values() for area in areas]

    async def _step(self, server: UploadConnection) -> None:
        """Do the next thing; wait if there is nothing to do."""
        self._wake.clear()
        if self._resting():
            await wait_at_most(self._wake, _LOOK_S)
            return
        if back := await asyncio.to_thread(self.library.to_take_back):
            await server.remove(back)
            await asyncio.to_thread(self.library.taken_back, back)
            self.changed.notify()
            return
        after = self._after
        for into, areas in self._wanted().items():
            batch = await asyncio.to_thread(self.library.unsent, areas, after.get(into, 0))
            if batch:
                if await self._send_all(server, batch, into):
                    after[into] = batch[-1].image_id
                self.changed.notify()
                return
        await self._wake.wait()

    async def _send_all(self, server: UploadConnection, batch: Sequence[UploadCandidate], into: str) -> bool:
        """Send what the server does not have; False if the work was interrupted."""
        asked = await server.known([each.sha256 for each in batch], into)
        known = {each.sha256: each.state for each in asked.items}
        for state, noted in (("there", THERE), ("sent", SENT)):
            await asyncio.to_thread(self.library.noted, noted, [sha256 for sha256, told in known.items() if told == state])
        waiting, wanted = deque(each for each in batch if each.sha256 not in known), self._wanted()

        workers = AT_ONCE

        async def work() -> None:
            nonlocal workers
            while waiting:
                photo = waiting.popleft()
                try:
                    await self._send(server, photo, asked.library, lambda: self._resting() or self._wanted() != wanted)
                except UploadShare:
                    if workers == 1:
                        raise
                    # It fits once the one beside it is there, which that one's worker sees to.
                    waiting.appendleft(photo)
                    break
                self.changed.notify()
            workers -= 1

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work())
        except BaseExceptionGroup as failed:
            reason = reason_of(failed)
            if isinstance(reason, _Interrupted):
                return False
            raise reason from failed
        return True

    async def _send(self, server: UploadConnection, photo: UploadCandidate, library: int | None, interrupted: Callable[[], bool]) -> None:
        if interrupted():
            raise _Interrupted
        if await is_online_only_within_timeout(self._online_only, photo.path):
            self._passed_over[photo.image_id] = ImageOnlineOnly()
            return
        try:
            outcome = await self._transfer(server, photo, library, interrupted)
        except (UploadTooLarge, UploadType, UploadChecksum) as error:
            await asyncio.to_thread(self.library.noted, FAILED, [photo.sha256], error)
        except (ImageMissing, ImageChanged, ImageUnreadable) as error:  # the folder's watcher tells once it is otherwise
            self._passed_over[photo.image_id] = error
        else:
            await asyncio.to_thread(self.library.noted, SENT if outcome == "stored" else THERE, [photo.sha256])

    async def _transfer(
        self, server: UploadConnection, photo: UploadCandidate, library: int | None, interrupted: Callable[[], bool]
    ) -> str:
        """Return what became of it on the server."""
        with await opened(photo) as file:
            place = await server.begin(photo, library)
            answered = await server.state(place)
            while answered.outcome is None:
                if interrupted():
                    raise _Interrupted
                answered = await server.send(place, photo, file, answered.offset, self._rate.passed)
            return answered.outcome
