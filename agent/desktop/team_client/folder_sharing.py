"""Tells the team's server what was found in photos of shared folders, and takes it back."""

import asyncio
from typing import Final

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.photo_cursor import FolderWork, shared_areas
from agent.desktop.team_client.photo_queries import Shared, TeamPhotoQueries
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Share
from agent.infrastructure.store.path_index import FolderArea

_TOLD: Final = (Share.RESULTS, Share.UPLOAD)
"""of whole photos the server is told, too, so that the names given here reach their faces"""


class FolderSharing(FolderWork):
    def __init__(self, library: TeamPhotoQueries, environment: Environment) -> None:
        super().__init__(environment, "team.not_shared")
        self.library = library
        self.said = ChangeSignal()
        """something may have been put into the outbox"""

    async def state(self) -> Shared:
        return await asyncio.to_thread(self.library.shared, self._all())

    async def take_back(self) -> int:
        """Have the server forget what is in no shared folder any more. Returns the number of photos."""
        count = await asyncio.to_thread(self.library.take_back, self._all())
        self._wake.set()
        return count

    async def run(self, server: TeamConnection) -> None:
        """Until cancelled. Raises SignInRequired."""
        await self._repeat(lambda: self._step(server))

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
        after = self._after
        for into, areas in shared_areas(self._environment.settings.value, *_TOLD).items():
            batch = await asyncio.to_thread(self.library.unsent, areas, after.get(into, 0))
            if batch.photos:
                taken = await server.photos(batch.photos, into)
                await asyncio.to_thread(self.library.told, taken, self._environment.clock())
                after[into] = batch.last
                self.said.notify()
                self.changed.notify()
                return
        await self._wake.wait()
