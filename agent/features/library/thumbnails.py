"""The thumbnail of each image: stored with its analysis, rendered if it is missing."""

import asyncio
from collections.abc import Awaitable, Callable

from agent.domain.errors import NotFound
from agent.domain.face import Analysis
from agent.features.library.previews import Previews
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.thumbnail_store import ThumbnailFile

SIDE = 480  # pixels of the longer side, at most
# Rendered at once: few, so that fast scrolling past a thousand photos does not wait for those out of sight.
AT_ONCE = 2


class Thumbnails:
    """Without a store they are rendered each time."""

    def __init__(self, library: LibraryQueries, previews: Previews, store: ThumbnailFile | None) -> None:
        self._library = library
        self._previews = previews
        self._store = store
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, image_id: int, *, wanted: Callable[[], Awaitable[bool]]) -> bytes:
        """Return a JPEG. `wanted` is checked when its turn to be rendered comes; nothing is downloaded from a cloud for it.

        Raises NotFound, ImageError or EngineError.
        """
        sha256, kept, covers = await asyncio.to_thread(self._look_up, image_id)
        if covers:  # for this member; what is stored is for those who may know all
            async with self._turns:
                return await self._previews.get(image_id, SIDE, fetch=False)
        if kept is not None:
            return kept
        if (face := await asyncio.to_thread(self._library.picture_of_reference, image_id)) is not None:
            return face
        async with self._turns:
            if not await wanted():
                raise NotFound
            made = await self._previews.get(image_id, SIDE, fetch=False)
        await asyncio.to_thread(self._keep, sha256, made)
        return made

    async def keep(self, analysis: Analysis) -> None:
        """Store the thumbnail that the engine made with an analysis."""
        if analysis.thumbnail is not None:
            await asyncio.to_thread(self._keep, analysis.sha256, analysis.thumbnail)

    def clean(self) -> None:
        """Delete those of deleted images. Blocks. Raises StoreError."""
        if self._store is not None:
            self._store.keep_only(self._library.hashes())

    def close(self) -> None:
        """Close the store. Blocks."""
        if self._store is not None:
            self._store.close()

    def _look_up(self, image_id: int) -> tuple[str, bytes | None, bool]:
        sha256 = self._library.sha256(image_id)
        if sha256 is None:
            raise NotFound
        covers = bool(self._library.faces_kept_back(image_id))
        return sha256, None if self._store is None or covers else self._store.get(sha256), covers

    def _keep(self, sha256: str, jpeg: bytes) -> None:
        if self._store is not None:
            self._store.put(sha256, jpeg)
