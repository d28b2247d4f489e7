"""Files that were passed over: those that failed, those set aside, and those whose content lies in a cloud."""

import asyncio
from collections.abc import Callable, Sequence

from agent.library.library_port import Library


class Problems:
    """`queued` is called when some are to be looked at again, `changed` when what there is to tell of them did."""

    def __init__(self, library: Library, *, queued: Callable[[], None], changed: Callable[[], None]) -> None:
        self._library = library
        self._queued = queued
        self._changed = changed

    async def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Try failed files and those set aside once more: these, or all. Returns how many."""
        count = await asyncio.to_thread(self._library.retry, place_ids)
        self._queued()
        return count

    async def fetch(self, place_id: int | None = None) -> int:
        """Look at the files whose content lies in a cloud, or this one: reading makes the system fetch it. Returns how many."""
        count = await asyncio.to_thread(self._library.retry_deferred, place_id)
        self._queued()
        return count

    async def clear(self, place_id: int | None = None) -> int:
        """Speak no more of failed files and those set aside, or of this one. Returns how many."""
        count = await asyncio.to_thread(self._library.clear_problems, place_id)
        self._changed()
        return count
