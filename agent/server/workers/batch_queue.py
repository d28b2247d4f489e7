"""A worker's side of the work: the batches that it holds, from which its indexer takes photos."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.domain.errors import StoreError
from agent.domain.events import StoredEvent
from agent.domain.jobs import Job
from agent.features.library.job_queue import LEASE
from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.server.workers.dispatcher import following
from agent.server.workers.queries.handout_rows import HandoutQueries


@dataclass(slots=True)
class _Open:
    running: set[int] = field(default_factory=set)  # ids of leased jobs
    dry: bool = False  # nothing more is to be taken from it
    done: asyncio.Event = field(default_factory=asyncio.Event)


class BatchQueue:
    """A JobQueue: leases jobs of the open batches, in the batches' order. Make it inside the event loop.

    The settings by which the server hands out work come with the first jobs that follow them.
    """

    def __init__(self, batches: HandoutQueries, library: LibraryQueries, worker: str, environment: Environment) -> None:
        """`worker` is unique to this run: leases of an earlier run under the same name are not this one's."""
        self.filled = ChangeSignal()
        """there are jobs to take"""
        self._batches = batches
        self._library = library
        self._worker = worker
        self._environment = environment
        self._loop = asyncio.get_running_loop()
        self._open: dict[int, _Open] = {}
        self._admits = True
        self._version = 0  # of the shared settings

    @property
    def held(self) -> tuple[int, ...]:
        """Return the numbers of the batches that are held."""
        return tuple(self._open)

    async def work(self, batch: int, *, first: bool = False) -> None:
        """Hold a batch until all its jobs were attempted, or were taken back. Raises StoreError.

        Cancelled or not admitted, it gives back what was not begun.
        """
        opened = _Open(dry=not self._admits)
        self._open = {batch: opened, **self._open} if first else {**self._open, batch: opened}
        self.filled.notify()
        self._look()
        try:
            await opened.done.wait()
        finally:
            del self._open[batch]
            await asyncio.shield(asyncio.to_thread(self._batches.close_batch, batch))

    def admit(self, admits: bool) -> None:
        """Take on batches, or let go of all; jobs that run are not touched."""
        self._admits = admits
        if not admits:
            for opened in self._open.values():
                opened.dry = True
            self._look()

    # -- the indexer's side ------------------------------------------------------------------------------------------------------
    def take(self, limit: int) -> tuple[list[Job], list[StoredEvent]]:
        taken: list[Job] = []
        for batch, opened in tuple(self._open.items()):
            if opened.dry or len(taken) >= limit:
                continue
            wanted = limit - len(taken)
            try:
                jobs, settings = self._batches.take_from(batch, wanted, worker=self._worker, lasts=LEASE, known=self._version)
            except StoreError:
                if taken:
                    break  # what was taken before is worked on
                raise
            opened.running.update(job.id for job in jobs)
            opened.dry |= len(jobs) < wanted
            taken += jobs
            if settings is not None:
                self._version, content = settings
                self._loop.call_soon_threadsafe(self._follow, content)
        self._loop.call_soon_threadsafe(self._look)
        return taken, []

    def give_back(self, jobs: Sequence[Job]) -> None:
        self._library.release(jobs)

    def ended(self, job: Job) -> None:
        for opened in self._open.values():
            opened.running.discard(job.id)
        self._look()

    def _look(self) -> None:
        for opened in self._open.values():
            if opened.dry and not opened.running:
                opened.done.set()

    def _follow(self, shared: dict[str, Any]) -> None:
        settings = self._environment.settings
        settings.set(following(settings.value, shared))
