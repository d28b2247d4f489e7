"""Photos that desks send whole: what need not be sent, and what is removed again."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

from agent.domain.edits import EditStep
from agent.domain.events import StoredEvent
from agent.features.people.editor import PeopleEditor
from agent.interfaces.web.desk_photos import ContentKnown, ContentsKnown, DeskOut, RemovedOfDesk
from agent.server.accounts.records import TokenRecord
from agent.server.devices.remote_photos import DeskPhotos
from agent.server.devices.upload_queries import DeskUploadQueries, SentPhoto, remove_file


class DeskUploads:
    def __init__(self, queries: DeskUploadQueries, photos: DeskPhotos, people: PeopleEditor, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self.photos = photos
        self._people = people
        self._clock = clock

    async def known(self, contents: Sequence[str], library: str, desk: TokenRecord) -> ContentsKnown:
        """Return those that need not be sent. Raises UploadLibrary, StoreError."""
        into = self.photos.libraries.meant(library)
        found = await asyncio.to_thread(self._queries.known, contents, into, desk, now=self._clock())
        return ContentsKnown(items=tuple(ContentKnown(sha256=sha256, state=state) for sha256, state in found.items()), library=into)

    async def remove(self, contents: Sequence[str] | None, desk: str) -> RemovedOfDesk:
        """Delete the next of what this desk sent; with None, also what it told of. Raises UploadUnwritable, StoreError."""
        sent = await asyncio.to_thread(self._queries.sent, desk, contents)
        own = await asyncio.to_thread(self._queries.hand_over, sent, desk, now=self._clock())
        await asyncio.to_thread(self._queries.forget_known, desk, contents)
        removed = await asyncio.to_thread(lambda: [(each, remove_file(each)) for each in own])
        gone, others = [each for each, is_gone in removed if is_gone], [each for each, is_gone in removed if not is_gone]
        if own:
            await self._forget(gone, others, desk)
        told = [] if contents is not None or sent else await asyncio.to_thread(self._queries.results_of, desk)
        if told:
            await self.photos.give_back(told, desk)
        more = contents is None and bool(sent or told)
        return RemovedOfDesk(photos=len(gone), results=len(told), stays=len(sent) - len(gone), more=more)

    async def remove_all(self, desk: str) -> RemovedOfDesk:
        """Delete all that this desk sent or told of."""
        photos = results = stays = 0
        while True:
            step = await self.remove(None, desk)
            photos, results, stays = photos + step.photos, results + step.results, stays + step.stays
            if not step.more:
                return RemovedOfDesk(photos=photos, results=results, stays=stays)

    async def desks(self) -> list[DeskOut]:
        return await asyncio.to_thread(self._queries.desks)

    async def _forget(self, gone: Sequence[SentPhoto], others: Sequence[SentPhoto], desk: str) -> None:
        def write() -> tuple[EditStep, list[StoredEvent]]:
            return self._queries.forget(gone, others, desk, now=self._clock())

        await self._people.change(write)
