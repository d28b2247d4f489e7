"""Files that were not scanned: failed, quarantined or online-only."""

import asyncio
from collections.abc import Sequence

from agent.core.observable import Notice
from agent.library.queries.library_queries import LibraryQueries


class Problems:
    def __init__(self, library: LibraryQueries) -> None:
        self.queued = Notice()
        """some are to be scanned again"""
        self.changed = Notice()
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
