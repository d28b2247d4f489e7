"""Takes jobs from a queue and has each attempted: a job ends done, failed or quarantined, and is never lost."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import structlog

from agent.domain.errors import AgentError, EngineStartFailed, ModelMissing, StoreError
from agent.domain.events import StoredEvent
from agent.domain.jobs import Job, JobState
from agent.features.library.activity import WorkState
from agent.features.library.job_queue import JobQueue
from agent.features.library.job_runner import BLOCKERS, JobRunner
from agent.infrastructure.core.observable import ChangeSignal, wait_at_most
from agent.infrastructure.core.request_id import bound
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.spans import SpanKind, span

log = structlog.get_logger()

RETRY_AFTER_S = (2.0, 5.0, 15.0, 60.0)


class Indexer:
    """Runs up to `slots` jobs at once: slightly more than engine processes, so that none waits for the store."""

    def __init__(self, queue: JobQueue, attempts: JobRunner, slots: Callable[[], int], work: WorkState, environment: Environment) -> None:
        self.changed = ChangeSignal()
        """what the status shows of the work may be another"""
        self.pausing = ChangeSignal()
        """the user paused the work, or resumed it"""
        self.analysed, self.progress = attempts.analysed, attempts.progress
        self._queue = queue
        self._attempts = attempts
        self._slots = slots
        self._bus = environment.bus
        self._work = work
        self._wake = asyncio.Event()
        self._mended = asyncio.Event()
        self._going = asyncio.Event()
        self._going.set()
        self._rests = 0
        self._idle = asyncio.Event()
        self._tries = 0  # failed attempts since the last success
        self._owed: list[Job] = []  # leased jobs that the library could not take back yet
        self.problem: AgentError | None = None
        attempts.stored.subscribe(self._well)

    @property
    def paused(self) -> bool:
        return self._work.paused

    @property
    def held(self) -> bool:
        return self._work.held

    @property
    def running(self) -> int:
        """Return the number of running jobs."""
        return self._work.running

    @property
    def stuck(self) -> AgentError | None:
        """Return the error that stops all work, once a second attempt failed too."""
        return self.problem if self._tries > 1 else None

    @property
    def told(self) -> AgentError | None:
        """Return the error to show. A first failure is retried silently if it may be the engine's alone.

        It is being replaced, or it started before a model was fetched: the next attempt has an engine that knows the model.
        """
        return self.stuck if isinstance(self.problem, EngineStartFailed | ModelMissing) else self.problem

    def pause(self) -> None:
        """Start no new job; running ones finish."""
        self._work.paused = True
        self._going.clear()
        self.pausing.notify()

    def resume(self) -> None:
        self._work.paused = False
        self._continue()
        self.pausing.notify()

    def hold(self, held: bool) -> None:
        """Pause or resume automatically; a pause by the user stays."""
        if held == self.held:  # otherwise an idle agent would query the library for nothing
            return
        self._work.held = held
        if held:
            self._going.clear()
        else:
            self._continue()

    def wake(self, _: object = None) -> None:
        """Check for new jobs."""
        self._wake.set()

    def mended(self, _: object = None) -> None:
        """Retry at once, because the cause may be gone."""
        self._tries = 0
        self._mended.set()
        self.wake()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Provide a period without running jobs, whatever the user does meanwhile."""
        self._rests += 1
        self._going.clear()
        try:
            while self.running:
                self._idle.clear()
                await self._idle.wait()
            yield
        finally:
            self._rests -= 1
            self._continue()

    def _continue(self) -> None:
        if not self._work.resting and not self._rests:
            self._going.set()
            self.wake()

    async def run(self) -> None:
        """Work until cancelled; running jobs are then given back untried."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._going.wait()
                self._wake.clear()
                room = self._slots() - len(running)
                if self.problem is not None:
                    room = 0 if running else min(room, 1)  # one attempt at a time, and each to its end
                jobs = await self._lease(room)
                running |= {asyncio.create_task(self._job(job)) for job in jobs}
                if self.problem is None or running:
                    await self._something(running)
                running = {task for task in running if not task.done()}
                if self.problem is not None and not running:
                    await self._wait_out()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _something(self, running: set[asyncio.Task[None]]) -> None:
        """Wait until a job ended, or new ones arrived."""
        waiter = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waiter, *running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    async def _wait_out(self) -> None:
        """Wait while something stops all work, longer each time, or until `mended` is called."""
        delay = RETRY_AFTER_S[min(self._tries, len(RETRY_AFTER_S) - 1)]
        self._tries += 1
        if self.stuck is not None:
            self.changed.notify()
        await wait_at_most(self._mended, delay)
        self._mended.clear()

    async def _lease(self, limit: int) -> list[Job]:
        if limit <= 0:
            return []
        alone = not self.running  # otherwise a job that is being given back may be missed
        self._work.running += 1  # leasing counts as work: `at_rest` must not start between a lease and its job
        jobs: list[Job] = []
        leasing = asyncio.create_task(asyncio.to_thread(self._take, limit, owed := tuple(self._owed)))
        try:
            with self.progress.counting():
                jobs, ended = await asyncio.shield(leasing)
                for _ in ended:
                    self.progress.failed()
            del self._owed[: len(owed)]
            self._work.running += len(jobs)
            self._bus.publish(ended)
            if not jobs and alone:
                self._well()  # nothing waits any more, whatever stopped it
        except asyncio.CancelledError:
            with suppress(StoreError):  # the thread continues: its leases are given back
                await asyncio.to_thread(self._queue.give_back, (await leasing)[0])
            raise
        except StoreError as error:
            self._block(error)
        finally:
            self._one_less()
        return jobs

    def _take(self, limit: int, owed: Sequence[Job]) -> tuple[list[Job], list[StoredEvent]]:
        if owed:
            self._queue.give_back(owed)
        return self._queue.take(limit)

    def _one_less(self) -> None:
        self._work.running -= 1
        if not self.running:
            self._idle.set()

    async def _job(self, job: Job) -> None:
        try:
            with bound(job.request_id or f"job-{job.id}"), span("photo", SpanKind.CONSUMER, job=job.id, attempt=job.attempts):
                await self._attempt(job)
        finally:
            self._queue.ended(job)
            self._one_less()

    async def _attempt(self, job: Job) -> None:
        try:
            state = await self._attempts.run(job)
        except asyncio.CancelledError:
            with suppress(StoreError):  # the next start gives it back
                await asyncio.shield(asyncio.to_thread(self._queue.give_back, [job]))
            raise
        except BLOCKERS as error:
            await self._give_back(job, error)
        else:
            if state is JobState.QUEUED:
                self.wake()
            elif state is JobState.DEFERRED:
                self.changed.notify()

    async def _give_back(self, job: Job, error: AgentError) -> None:
        self._block(error)
        try:
            await asyncio.to_thread(self._queue.give_back, [job])
        except StoreError as store_error:
            self._owed.append(job)
            self._block(store_error)

    def _block(self, error: AgentError) -> None:
        if self.problem is None:
            self._mended.clear()  # earlier fixes did not solve the current error
        if self.problem is None or self.problem.code != error.code:
            log.error("work.blocked", code=error.code)
        self.problem = error
        self.changed.notify()

    def _well(self, _: object = None) -> None:
        if self.problem is not None:
            self.problem = None
            self.mended()
            self.changed.notify()
