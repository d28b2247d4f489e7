"""Pictures for the screen: rendered by the engine on request, cached in memory, never on disk."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

from agent.domain.errors import AgentError, ImageMissing, ImageOnlineOnly, NotFound
from agent.domain.face import Box
from agent.features.library.queries.library_queries import LibraryQueries
from agent.inference.engine.analyser import Analyser
from agent.infrastructure.core.abandonable_calls import is_online_only_within_timeout
from agent.infrastructure.core.access_scope import current_scope, everything

# Rendered sizes: a request gets the next larger one, so that few sizes are cached.
SIDES = (240, 480, 960, 1280, 2048)
MOST_BYTES = 16 * 1024 * 1024
Rendering: TypeAlias = tuple[int, int, tuple[Box, ...]]
"""the image's id, the longer side, and what is covered"""


class Previews:
    """One rendering per picture and size at a time; concurrent requests share it."""

    def __init__(self, library: LibraryQueries, analyser: Analyser, online_only: Callable[[str], bool] = lambda _: False) -> None:
        self._library = library
        self._analyser = analyser
        self._online_only = online_only  # whether reading a file would download it
        self._kept: OrderedDict[Rendering, bytes] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[tuple[int, int, tuple[Box, ...], bool], asyncio.Task[bytes]] = {}

    async def get(self, image_id: int, side: int, *, fetch: bool = True) -> bytes:
        """Return the upright image as JPEG. Without `fetch` no online-only file is read.

        Raises NotFound, ImageError (ImageOnlineOnly among them) or EngineError.
        """
        # What is rendered is kept and shared by all who may see it, with the same faces covered.
        if current_scope() is not None and await asyncio.to_thread(self._library.sha256, image_id) is None:
            raise NotFound
        hidden = await asyncio.to_thread(self._library.faces_kept_back, image_id) if current_scope() is not None else ()
        key = (image_id, next((size for size in SIDES if size >= side), SIDES[-1]), hidden)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        work = (*key, fetch)
        if work not in self._under_way:
            with everything():
                task = asyncio.create_task(self._render(*work))
            self._under_way[work] = task
            task.add_done_callback(lambda _: self._under_way.pop(work))
        # Shielded: one cancelled request must not cancel the picture for the others.
        return await asyncio.shield(self._under_way[work])

    def forget(self) -> None:
        """Drop all pictures after an idle time."""
        self._kept.clear()
        self._bytes = 0

    async def _render(self, image_id: int, side: int, hidden: tuple[Box, ...], fetch: bool) -> bytes:
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        if (face := await asyncio.to_thread(self._library.picture_of_reference, image_id)) is not None:
            if hidden:
                raise NotFound
            return face  # not kept here: once it is deleted, it is nowhere
        reason: AgentError = ImageMissing()
        for _, path in image.places:
            if not fetch and await is_online_only_within_timeout(self._online_only, path):
                reason = ImageOnlineOnly()
                continue
            try:
                picture = await self._analyser.preview(path, side, hidden)
            except AgentError as error:
                reason = error
            else:
                self._keep((image_id, side, hidden), picture)
                return picture
        raise reason

    def _keep(self, key: Rendering, picture: bytes) -> None:
        if key in self._kept or len(picture) > MOST_BYTES:
            return
        self._kept[key] = picture
        self._bytes += len(picture)
        while self._bytes > MOST_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
