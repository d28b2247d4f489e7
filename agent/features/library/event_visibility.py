"""Which events a member may hear of."""

from collections.abc import Sequence

from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.coalescing import RequestCoalescer

_AT_ONCE = 2


class EventReach:
    """Everyone with an open page asks about the same events at the same moment: the library is asked once for each reach."""

    def __init__(self, library: LibraryQueries) -> None:
        self._library = library
        self._asked = RequestCoalescer[frozenset[int]](_AT_ONCE)

    async def within(self, ids: Sequence[int]) -> frozenset[int]:
        """Return those of the events that the caller may hear of. Raises StoreError."""
        return await self._asked.get((current_scope(), tuple(ids)), lambda: self._library.events_within_reach(ids))
