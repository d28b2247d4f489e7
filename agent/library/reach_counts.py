"""How many images, faces, people and jobs a member sees."""

from agent.core.reach import current_reach
from agent.core.shared_calls import SharedCalls
from agent.library.queries.library_queries import LibraryQueries
from agent.library.records import Counts
from agent.library.whole_index import WholeIndexes
from agent.web.remembered import Remembered

_MOST_REACHES = 50  # of members of a team
_REST = 2.0


class ReachCounts:
    """Counts once after a change, for all of the same reach."""

    def __init__(self, library: LibraryQueries, indexes: WholeIndexes) -> None:
        self._library = library
        self._indexes = indexes
        self._remembered: Remembered[Counts] = Remembered(library.version, _MOST_REACHES)
        self._counting = SharedCalls[Counts](1, rest=_REST)

    async def get(self) -> Counts:
        """Count what the caller may see, but on a server no jobs that are done. Raises StoreError."""
        return await self._counting.get(current_reach(), lambda: self._remembered.get("counts", self._count))

    def _count(self) -> Counts:
        with self._indexes.current() as whole:
            return self._library.counts() if whole is None else self._library.counts_of(whole)
