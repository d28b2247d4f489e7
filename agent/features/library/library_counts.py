"""How many images, faces, people and jobs there are within reach."""

from agent.features.library.index_snapshot import WholeIndexes
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.library.records import Counts
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.coalescing import RequestCoalescer
from agent.interfaces.web.version_cache import VersionedCache

_MOST_REACHES = 50  # of members of a team
_REST = 2.0


class LibraryCounts:
    """On a server the images and faces are those of the index that is kept, and jobs that are done aren't counted."""

    def __init__(self, library: LibraryQueries, indexes: WholeIndexes) -> None:
        self._library = library
        self._indexes = indexes
        self._remembered: VersionedCache[Counts] = VersionedCache(library.version, _MOST_REACHES)
        self._counting = RequestCoalescer[Counts](1, rest=_REST)

    @property
    def is_shared(self) -> bool:
        """Whether a database server counts, for a team."""
        return self._library.database.is_shared

    def now(self) -> Counts:
        """Count; blocks. Raises StoreError."""
        with self._indexes.current() as whole:
            return self._library.counts() if whole is None else self._library.counts_of(whole)

    async def within_reach(self) -> Counts:
        """Count what the caller may see: once after a change, for all of the same reach. Raises StoreError."""
        return await self._counting.get(current_scope(), lambda: self._remembered.get("counts", self.now))
