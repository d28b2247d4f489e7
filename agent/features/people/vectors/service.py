"""Faces found by a server's database: its embeddings follow the library's, turned by a secret, and its index follows their number."""

import asyncio
from collections.abc import Sequence

import structlog

from agent.domain.embeddings import Near
from agent.domain.errors import StoreError
from agent.domain.events import ImageIndexed, StoredEvent
from agent.features.people.queries.search_filter import EVERYTHING, FaceSearchFilter
from agent.features.people.vectors.rotation import DIMENSIONS, SecretRotation, Vector
from agent.features.people.vectors.vector_rows import IndexState, VectorIndex, VectorQueries
from agent.infrastructure.core.bus import Bus
from agent.infrastructure.core.observable import wait_at_most

log = structlog.get_logger()

KEY = b"turned embeddings"  # the purpose of the rotation's key, derived from the library's
AT_ONCE = 100  # faces turned before others get a turn
_MOST_PHOTOS = 1_000  # more new ones at a time are looked for among all
# What an invalid embedding is noted as, so that it is not missing: further than any face is from any other.
_NOWHERE: Vector = [9.0] * DIMENSIONS
LOOK_S = 3_600.0  # all faces are compared at the start and this often; those of new photos come at once


class FaceVectors:
    """Implements FaceFinder."""

    def __init__(self, rows: VectorQueries, rotation: SecretRotation, index: VectorIndex) -> None:
        self._rows = rows
        self._turning = rotation
        self._index = index
        self._fresh: set[int] = set()  # images
        self._wake = asyncio.Event()

    async def near(
        self, embeddings: Sequence[bytes], *, within: float, limit: int, among: FaceSearchFilter = EVERYTHING
    ) -> list[list[Near]]:
        return [await asyncio.to_thread(self._near, each, within, limit, among) for each in embeddings]

    def _near(self, embedding: bytes, within: float, limit: int, among: FaceSearchFilter) -> list[Near]:
        turned = self._turning.turned(embedding)
        return [] if turned is None else self._rows.near(turned, within, limit, among)

    async def state(self) -> IndexState:
        return await asyncio.to_thread(self._rows.state)

    async def run(self, bus: Bus, *, look_s: float = LOOK_S) -> None:
        """Follow the library, until cancelled."""
        with bus.listening(self._noticed):
            while True:
                try:
                    await self.follow()
                    await self.settle()
                    await self._follow_photos(look_s)
                except StoreError as error:
                    log.warning("search.late", code=error.code)
                    await asyncio.sleep(min(look_s, 10.0))

    async def follow(self) -> None:
        """Add all faces that are missing. Raises StoreError."""
        await self._add(None)

    async def settle(self) -> None:
        """Build the index if there are enough faces for it, or drop it. Raises StoreError."""
        faces, state = await asyncio.to_thread(self._rows.count), await self.state()
        if faces:
            await asyncio.to_thread(self._turning.prepare)  # before a first search has to wait for it
        if not self._index.suits(faces, state.built):
            await asyncio.to_thread(self._index.settle, faces)

    async def _follow_photos(self, seconds: float) -> None:
        """Add the faces of new photos, for that long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await wait_at_most(self._wake, left)
            self._wake.clear()
            images, self._fresh = self._fresh, set()
            if images:
                await self._add(images if len(images) < _MOST_PHOTOS else None)

    async def _add(self, images: set[int] | None) -> None:
        after = 0
        while missing := await asyncio.to_thread(self._rows.missing, images, after=after, limit=AT_ONCE):
            after = missing[-1][0]  # a page need not look again at those before it
            turned = await asyncio.to_thread(self._turned, missing)
            await asyncio.to_thread(self._rows.add, turned)

    def _turned(self, missing: Sequence[tuple[int, bytes]]) -> list[tuple[int, Vector]]:
        return [(face_id, self._turning.turned(embedding) or _NOWHERE) for face_id, embedding in missing]

    def _noticed(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageIndexed):
            self._fresh.add(recorded.event.image_id)
            self._wake.set()
