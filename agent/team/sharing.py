"""Tells the team's server what was found in photos of shared folders, and takes it back."""

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from agent.core.environment import Environment
from agent.core.observable import Notice
from agent.core.settings import Settings, Share
from agent.domain.errors import AgentError
from agent.domain.events import ImageIndexed, PlaceAdded, PlaceMoved, Recorded
from agent.store.path_ranges import FolderArea
from agent.team.connection import TeamConnection
from agent.team.photo_queries import Shared, TeamPhotoQueries
from agent.team.repeating import Repeating

_TOLD: Final = (Share.RESULTS, Share.UPLOAD)
"""of whole photos the server is told, too, so that the names given here reach their faces"""


def shared_areas(settings: Settings, *among: Share) -> Mapping[str, list[FolderArea]]:
    """Return the folders that are shared so, by the library they go to. A folder inside one has its own setting."""
    roots = [folder.root for folder in settings.folders]
    found: dict[str, list[FolderArea]] = {}
    for folder in settings.folders:
        if folder.share in among:
            inside = tuple(other for other in roots if other.startswith(folder.root.rstrip(os.sep) + os.sep))
            found.setdefault(folder.share_into, []).append(FolderArea(folder.root, inside))
    return found


class FolderSharing:
    """For use in the event loop. What of a folder is not shared is not even read."""

    def __init__(self, library: TeamPhotoQueries, environment: Environment) -> None:
        self.library = library
        self.changed = Notice()
        """what `state` says may be different"""
        self.said = Notice()
        """something may have been put into the outbox"""
        self._repeating = Repeating(self.changed, "team.not_shared")
        self._environment = environment
        self._wake = asyncio.Event()
        self._after: dict[str, int] = {}  # by library: the last image that was told
        environment.settings.subscribe(lambda _: self.begin_anew())

    @property
    def problem(self) -> AgentError | None:
        return self._repeating.problem

    def begin_anew(self) -> None:
        """Look at all photos again."""
        self._after.clear()
        self._wake.set()

    def happened(self, recorded: Recorded) -> None:
        """Take note of an event of the library."""
        if isinstance(recorded.event, PlaceAdded | PlaceMoved):
            self.begin_anew()  # an older image may be in a shared folder now
        elif isinstance(recorded.event, ImageIndexed):
            self._wake.set()

    async def state(self) -> Shared:
        return await asyncio.to_thread(self.library.shared, self._all())

    async def take_back(self) -> int:
        """Have the server forget what is in no shared folder any more. Returns the number of photos."""
        count = await asyncio.to_thread(self.library.take_back, self._all())
        self._wake.set()
        return count

    async def run(self, server: TeamConnection) -> None:
        """Until cancelled. Raises SignInRequired."""
        self.begin_anew()
        await self._repeating.run(lambda: self._step(server))

    def _all(self) -> list[FolderArea]:
        found = shared_areas(self._environment.settings.value, *_TOLD)
        return [area for areas in found.values() for area in areas]

    async def _step(self, server: TeamConnection) -> None:
        """Do the next thing; wait if there is nothing to do."""
        self._wake.clear()
        if back := await asyncio.to_thread(self.library.to_take_back):
            await server.photos_back(back)
            await asyncio.to_thread(self.library.taken_back, back)
            self.changed.notify()
            return
        for into, areas in shared_areas(self._environment.settings.value, *_TOLD).items():
            batch = await asyncio.to_thread(self.library.unsent, areas, self._after.get(into, 0))
            if batch.photos:
                taken = await server.photos(batch.photos, into)
                await asyncio.to_thread(self.library.told, taken, self._environment.clock())
                self._after[into] = batch.last
                self.said.notify()
                self.changed.notify()
                return
        await self._wake.wait()
