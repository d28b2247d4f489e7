"""Leases jobs, has each analysed, and writes the outcome: a job ends done, failed or quarantined, and is never lost."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from agent.app.bus import Bus
from agent.app.people import People
from agent.app.ports import Analyse, Analyser, Library
from agent.app.progress import Progress
from agent.domain.errors import AgentError, EngineStartFailed, ModelError, StoreError, Unexpected
from agent.domain.jobs import Job, JobState, after_error

log = structlog.get_logger()

# Longer than any time limit of the engine: a lease runs out only if the agent itself is gone.
LEASE = timedelta(minutes=30)
# These are nobody's file's fault: the work waits and tries again, and the user is told.
BLOCKERS = (EngineStartFailed, ModelError, StoreError)
RETRY_AFTER_S = (2.0, 5.0, 15.0, 60.0)


class Indexer:
    """Runs up to `slots` jobs at once: a few more than there are engine processes, so that none waits for the store."""

    def __init__(
        self,
        library: Library,
        analyser: Analyser,
        people: People,
        bus: Bus,
        progress: Progress,
        *,
        task: Callable[[str], Analyse],
        slots: int,
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._people = people
        self._bus = bus
        self._progress = progress
        self._task = task
        self._slots = slots
        self._clock = clock
        self._wake = asyncio.Event()
        self._going = asyncio.Event()
        self._going.set()
        self._blocked = 0
        self._idle = asyncio.Event()
        self.problem: AgentError | None = None
        self.running = 0  # jobs under way

    @property
    def paused(self) -> bool:
        return not self._going.is_set()

    def pause(self) -> None:
        """No new job is started; those under way end."""
        self._going.clear()

    def resume(self) -> None:
        self._going.set()
        self.wake()

    def wake(self) -> None:
        """There may be new jobs, or what stopped the work may be mended."""
        self._wake.set()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Inside, no job is under way and none starts."""
        was_paused = self.paused
        self.pause()
        while self.running:
            self._idle.clear()
            await self._idle.wait()
        try:
            yield
        finally:
            if not was_paused:
                self.resume()

    async def run(self) -> None:
        """Work until cancelled; jobs under way are then given back untried."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._going.wait()
                self._wake.clear()
                jobs = await self._lease(self._slots - len(running))
                running |= {asyncio.create_task(self._job(job)) for job in jobs}
                await self._something(running, found=bool(jobs))
                running = {task for task in running if not task.done()}
                if self._blocked:
                    await self._wait_out()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _something(self, running: set[asyncio.Task[None]], *, found: bool) -> None:
        """Wait until a job ended, or new ones came while there is room."""
        if found and len(running) < self._slots:
            return  # there may be more at once
        waiter = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waiter, *running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    async def _wait_out(self) -> None:
        """Something stops all work: wait, longer each time, or until somebody says it is mended."""
        delay = RETRY_AFTER_S[min(self._blocked, len(RETRY_AFTER_S)) - 1]
        self._wake.clear()
        try:
            async with asyncio.timeout(delay):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _lease(self, limit: int) -> list[Job]:
        if limit <= 0:
            return []
        now = self._clock()
        self.running += 1  # leasing counts as work: `at_rest` must not slip between a lease and its job
        try:
            jobs = await asyncio.to_thread(self._library.lease, limit, now=now, until=now + LEASE)
        except StoreError as error:
            self._block(error)
            jobs = []
        self.running += len(jobs)
        self._one_less()
        return jobs

    def _one_less(self) -> None:
        self.running -= 1
        if not self.running:
            self._idle.set()

    async def _job(self, job: Job) -> None:
        try:
            await self._attempt(job)
        finally:
            self._one_less()

    async def _attempt(self, job: Job) -> None:
        try:
            await self._analyse(job)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(self._library.release, [job]))
            raise
        except BLOCKERS as error:
            self._block(error)
            await self._give_back(job)
        except AgentError as error:
            await self._end(job, error)
        except Exception as error:
            log.exception("job.unexpected", job=job.id)
            await self._end(job, Unexpected(kind=type(error).__name__))

    async def _analyse(self, job: Job) -> None:
        analysis = await self._analyser.analyse(self._task(job.path))
        identities, gallery = await self._people.opinions(analysis)
        events = await asyncio.to_thread(self._library.commit, job, analysis, identities, now=self._clock())
        await self._people.recheck(events, gallery)
        self._blocked, self.problem = 0, None
        if events:
            self._progress.indexed(len(analysis.faces))
            log.info("image.indexed", job=job.id, faces=len(analysis.faces), format=analysis.format, ms=round(analysis.ms.total))
        self._bus.publish(events)

    async def _end(self, job: Job, error: AgentError) -> None:
        state = after_error(job.attempts, error)
        log.warning("job.failed", job=job.id, code=error.code, attempt=job.attempts, then=state.value)
        try:
            events = await asyncio.to_thread(self._library.fail, job, state, error, now=self._clock())
        except StoreError as store_error:
            self._block(store_error)  # the lease runs out, or the next start gives it back
            return
        if state is not JobState.QUEUED:
            self._progress.failed()
        else:
            self.wake()
        self._bus.publish(events)

    async def _give_back(self, job: Job) -> None:
        try:
            await asyncio.to_thread(self._library.release, [job])
        except StoreError as error:
            self._block(error)

    def _block(self, error: AgentError) -> None:
        if self.problem is None or self.problem.code != error.code:
            log.error("work.blocked", code=error.code)
        self._blocked += 1
        self.problem = error
