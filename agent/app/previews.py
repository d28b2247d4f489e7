"""Pictures for the screen: rendered by the engine when asked for, kept a while in memory, never on disk."""

import asyncio
from collections import OrderedDict

from agent.app.ports import Analyser, Library
from agent.domain.errors import AgentError, ImageMissing, NotFound

# Sides that are rendered: a request gets the next larger one, so that few sizes fill the memory.
SIDES = (240, 480, 960, 1280, 2048)
MOST_BYTES = 16 * 1024 * 1024


class Previews:
    """One rendering per picture and size at a time; whoever asks meanwhile waits for the same one."""

    def __init__(self, library: Library, analyser: Analyser) -> None:
        self._library = library
        self._analyser = analyser
        self._kept: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[tuple[int, int], asyncio.Task[bytes]] = {}

    async def get(self, image_id: int, side: int) -> bytes:
        """The upright image as JPEG. Raises NotFound, ImageError or EngineError."""
        key = (image_id, next((size for size in SIDES if size >= side), SIDES[-1]))
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        if key not in self._under_way:
            task = asyncio.create_task(self._render(*key))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key))
        # Shielded: one impatient reader must not cancel the picture for the others.
        return await asyncio.shield(self._under_way[key])

    async def _render(self, image_id: int, side: int) -> bytes:
        image = await asyncio.to_thread(self._library.image, image_id)
        if image is None:
            raise NotFound
        reason: AgentError = ImageMissing()
        for _, path in image.places:
            try:
                picture = await self._analyser.preview(path, side)
            except AgentError as error:
                reason = error
            else:
                self._keep((image_id, side), picture)
                return picture
        raise reason

    def _keep(self, key: tuple[int, int], picture: bytes) -> None:
        if key in self._kept or len(picture) > MOST_BYTES:
            return
        self._kept[key] = picture
        self._bytes += len(picture)
        while self._bytes > MOST_BYTES:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
