"""Leases jobs, has each analysed, and writes the outcome: a job ends done, failed or quarantined, and is never lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import structlog

from agent.core.bus import Bus
from agent.core.call_with_timeout import told_online_only
from agent.domain.errors import AgentError, EngineStartFailed, EngineUnavailable, ImageOnlineOnly, ModelError, StoreError, Unexpected
from agent.domain.events import Recorded
from agent.domain.face import Analysis
from agent.domain.jobs import Job, JobState, Priority, after_error
from agent.engine.analyser import Analyse, Analyser
from agent.library.library_port import Library
from agent.library.progress import Progress
from agent.people.naming import People

log = structlog.get_logger()

# Longer than any time limit of the engine: a lease runs out only if the agent itself is gone.
LEASE = timedelta(minutes=30)
# These are nobody's file's fault: the work waits and tries again, and the user is told.
BLOCKERS = (EngineUnavailable, ModelError, StoreError)
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
        slots: Callable[[], int],
        changed: Callable[[], None],
        analysed: Callable[[Analysis], None],
        online_only: Callable[[str], bool],
        keep: Callable[[Analysis], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._people = people
        self._bus = bus
        self._progress = progress
        self._task = task
        self._slots = slots
        self._changed = changed
        self._analysed = analysed
        self._online_only = online_only
        self._keep = keep  # its thumbnail, before anybody is told that there is a new image
        self._clock = clock
        self._wake = asyncio.Event()
        self._mended = asyncio.Event()
        self._going = asyncio.Event()
        self._going.set()
        self._rests = 0
        self._idle = asyncio.Event()
        self._tries = 0  # in vain, since the work last went well
        self._under_way: set[int] = set()  # ids of leased jobs
        self._owed: list[Job] = []  # leased jobs that the library could not take back yet
        self.paused = False
        self.held = False  # as paused, but not by the user: the battery is low
        self.problem: AgentError | None = None
        self.running = 0  # jobs under way

    @property
    def stuck(self) -> AgentError | None:
        """What stops all work, once a second try was in vain too."""
        return self.problem if self._tries > 1 else None

    @property
    def told(self) -> AgentError | None:
        """What stops all work, as the user is told: an engine that did not start once is started again first, as while it is replaced."""
        return self.stuck if isinstance(self.problem, EngineStartFailed) else self.problem

    def pause(self) -> None:
        """No new job is started; those under way end."""
        self.paused = True
        self._going.clear()

    def resume(self) -> None:
        self.paused = False
        self._go_on()

    def hold(self, held: bool) -> None:
        """Pause, or go on, without a word of the user's; what the user paused stays so."""
        if held == self.held:  # an idle agent would look into the library for nothing
            return
        self.held = held
        if held:
            self._going.clear()
        else:
            self._go_on()

    def wake(self) -> None:
        """There may be new jobs."""
        self._wake.set()

    def mended(self) -> None:
        """What stopped the work may be mended: try at once."""
        self._tries = 0
        self._mended.set()
        self.wake()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[None]:
        """Inside, no job is under way and none starts, whatever the user presses meanwhile."""
        self._rests += 1
        self._going.clear()
        try:
            while self.running:
                self._idle.clear()
                await self._idle.wait()
            yield
        finally:
            self._rests -= 1
            self._go_on()

    def _go_on(self) -> None:
        if not self.paused and not self.held and not self._rests:
            self._going.set()
            self.wake()

    async def run(self) -> None:
        """Work until cancelled; jobs under way are then given back untried."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                await self._going.wait()
                self._wake.clear()
                room = self._slots() - len(running)
                if self.problem is not None:
                    room = 0 if running else min(room, 1)  # one try at a time, and each to its end
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
        """Wait until a job ended, or new ones came."""
        waiter = asyncio.create_task(self._wake.wait())
        try:
            await asyncio.wait({waiter, *running}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiter.cancel()

    async def _wait_out(self) -> None:
        """Something stops all work: wait, longer each time, or until it goes on or somebody says it is mended."""
        delay = RETRY_AFTER_S[min(self._tries, len(RETRY_AFTER_S) - 1)]
        self._tries += 1
        if self.stuck is not None:
            self._changed()
        try:
            async with asyncio.timeout(delay):
                await self._mended.wait()
        except TimeoutError:
            pass
        self._mended.clear()

    async def _lease(self, limit: int) -> list[Job]:
        if limit <= 0:
            return []
        alone = not self.running  # else a job that is just being given back may be missed
        self.running += 1  # leasing counts as work: `at_rest` must not slip between a lease and its job
        jobs: list[Job] = []
        taking = asyncio.create_task(asyncio.to_thread(self._take, limit, owed := tuple(self._owed)))
        try:
            jobs, ended = await asyncio.shield(taking)
            del self._owed[: len(owed)]
            self.running += len(jobs)
            self._under_way |= {job.id for job in jobs}
            for _ in ended:
                self._progress.failed()
            self._bus.publish(ended)
            if not jobs and alone:
                self._well()  # nothing waits any more, whatever stopped it
        except asyncio.CancelledError:
            with suppress(StoreError):  # the thread goes on: what it takes is given back
                await asyncio.to_thread(self._library.release, (await taking)[0])
            raise
        except StoreError as error:
            self._block(error)
        finally:
            self._one_less()
        return jobs

    def _take(self, limit: int, owed: Sequence[Job]) -> tuple[list[Job], list[Recorded]]:
        if owed:
            self._library.release(owed)
        now = self._clock()
        return self._library.lease(limit, now=now, until=now + LEASE, under_way=frozenset(self._under_way))

    def _one_less(self) -> None:
        self.running -= 1
        if not self.running:
            self._idle.set()

    async def _job(self, job: Job) -> None:
        try:
            await self._attempt(job)
        finally:
            self._under_way.discard(job.id)
            self._one_less()

    async def _attempt(self, job: Job) -> None:
        try:
            await self._analyse(job)
        except asyncio.CancelledError:
            with suppress(StoreError):  # the next start gives it back
                await asyncio.shield(asyncio.to_thread(self._library.release, [job]))
            raise
        except BLOCKERS as error:
            await self._give_back(job, error)
        except AgentError as error:
            await self._end(job, error)
        except Exception as error:
            log.exception("job.unexpected", job=job.id)
            await self._end(job, Unexpected(kind=type(error).__name__))

    async def _analyse(self, job: Job) -> None:
        if job.priority != Priority.ASKED and await told_online_only(self._online_only, job.path):
            raise ImageOnlineOnly
        analysis = await self._analyser.analyse(self._task(job.path))
        judged = await self._people.opinions(analysis)
        events = await asyncio.to_thread(self._library.commit, job, analysis, judged.identities, now=self._clock())
        self._well()
        if events:
            self._progress.indexed(len(analysis.faces), [each.person_id for each in judged.identities if each is not None])
            self._analysed(analysis)
            log.info("image.indexed", job=job.id, faces=len(analysis.faces), format=analysis.format, ms=round(analysis.ms.total))
        try:
            if events:
                await self._keep(analysis)
            await self._people.written(events, judged)
        except AgentError as error:
            log.warning("people.recheck_failed", job=job.id, code=error.code)
            self._people.doubt()  # the photo is indexed; who is on it is found out later
        finally:
            self._bus.publish(events)

    async def _end(self, job: Job, error: AgentError) -> None:
        state = after_error(job.attempts, error)
        log.warning("job.failed", job=job.id, code=error.code, attempt=job.attempts, then=state.value)
        try:
            events = await asyncio.to_thread(self._library.fail, job, state, error, now=self._clock())
        except StoreError as store_error:
            self._owed.append(job)
            self._block(store_error)
            return
        if state is JobState.QUEUED:
            self.wake()
        elif state is JobState.DEFERRED:
            self._changed()
        else:
            self._progress.failed()
        self._bus.publish(events)

    async def _give_back(self, job: Job, error: AgentError) -> None:
        self._block(error)
        try:
            await asyncio.to_thread(self._library.release, [job])
        except StoreError as store_error:
            self._owed.append(job)
            self._block(store_error)

    def _block(self, error: AgentError) -> None:
        if self.problem is None:
            self._mended.clear()  # whatever was mended before is not what stops the work now
        if self.problem is None or self.problem.code != error.code:
            log.error("work.blocked", code=error.code)
        self.problem = error
        self._changed()

    def _well(self) -> None:
        if self.problem is not None:
            self.problem = None
            self.mended()
            self._changed()
