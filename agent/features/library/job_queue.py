"""Where the indexer's jobs come from: the library's own queue, or batches that a server hands out."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from agent.domain.events import StoredEvent
from agent.domain.jobs import Job
from agent.features.library.queries.library_queries import LibraryQueries

# Longer than any time limit of the engine: a lease expires only if its holder itself is gone.
LEASE = timedelta(minutes=30)


class JobQueue(Protocol):
    """Implementations: `LibraryQueue`; in the workers room `BatchQueue` (a worker's) and `Dispatcher` (a server's, which does none itself).

    `take` and `give_back` block, and are called one at a time.
    """

    def take(self, limit: int) -> tuple[list[Job], list[StoredEvent]]:
        """Lease jobs, their attempt counted; also return the events of leases that expired. Raises StoreError."""
        ...

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Return leased jobs untried. Raises StoreError."""
        ...

    def ended(self, job: Job) -> None:
        """Note, in the event loop, that the job's attempt is over."""
        ...


class LibraryQueue:
    """The library's queue, of which this process is the only worker."""

    def __init__(self, library: LibraryQueries, clock: Callable[[], datetime]) -> None:
        self._library = library
        self._clock = clock
        self._under_way: set[int] = set()  # ids of leased jobs

    def take(self, limit: int) -> tuple[list[Job], list[StoredEvent]]:
        now = self._clock()
        jobs, ended = self._library.lease(limit, now=now, until=now + LEASE, under_way=frozenset(self._under_way))
        self._under_way.update(job.id for job in jobs)
        return jobs, ended

    def give_back(self, jobs: Sequence[Job]) -> None:
        self._library.release(jobs)

    def ended(self, job: Job) -> None:
        self._under_way.discard(job.id)
