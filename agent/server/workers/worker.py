"""A worker: fetches batches, analyses their photos, says what it does, and drains before it ends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from psycopg_pool import AsyncConnectionPool

from agent.domain.errors import StoreError
from agent.domain.events import ImageFailed, ImageIndexed, LocationAdded, StoredEvent
from agent.features.library.indexer import Indexer
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.store.addresses import ALIVE
from agent.infrastructure.store.dialects.postgresql import connection_error
from agent.server.workers.batch_queue import BatchQueue
from agent.server.workers.queries.work_queue import ASKED_QUEUE, PHOTO_QUEUE, TASK
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.records import Beat, WorkerState

log = structlog.get_logger()

BEAT_S = 5.0
RETRY_AFTER_S = 2.0
RATE_S = 60.0
# Two batches at once, so that the engine has work while the last photos of one are finished.
QUEUES = {ASKED_QUEUE: 1, PHOTO_QUEUE: 2}
MOST_CONNECTIONS = 4
CONNECTION_S = 5.0  # for a connection; while the database is away, one is waited for twice when the worker ends
CLOSE_S = 1.0  # for connections that are being made; then they are left


@dataclass(frozen=True, slots=True)
class WorkerName:
    uid: str  # of this run
    name: str
    host: str


class Worker:
    def __init__(
        self, address: str, me: WorkerName, queue: BatchQueue, indexer: Indexer, workers: WorkerQueries, environment: Environment
    ) -> None:
        """`address` is the database's, as libpq takes it."""
        self._address = address
        self._me = me
        self._queue = queue
        self._indexer = indexer
        self._workers = workers
        self._environment = environment
        self._say = asyncio.Event()
        self._able = asyncio.Event()
        self._able.set()
        self._round: asyncio.Future[None] | None = None
        self._draining = False
        self._done, self._errors = 0, 0
        self._ended: deque[float] = deque(maxlen=100_000)
        queue.filled.subscribe(indexer.wake)
        queue.filled.subscribe(lambda _: self._say.set())
        indexer.changed.subscribe(self._changed)

    async def run(self, stop: asyncio.Event, *, drain_s: float) -> None:
        """Work until `stop` is set, here or by a request to drain; then finish the photos under way, for `drain_s` at most.

        What is not finished by then is given back untried. Raises StoreError at start.
        """
        await asyncio.to_thread(self._workers.begin, self._me.uid, self._me.name, self._me.host)
        log.info("worker.started")
        with self._environment.bus.listening(self._happened):
            indexing = asyncio.create_task(self._indexer.run())
            fetching = asyncio.create_task(self._fetch())
            beating = asyncio.create_task(self._beat(stop))
            stopping = asyncio.create_task(stop.wait())
            tasks = (indexing, fetching, beating, stopping)
            try:
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:  # also when cancelled: what ends below waits for the fetching to end
                    self._draining = True
                    self._say.set()
                    self._queue.admit(False)
                    fetching.cancel()
                await asyncio.wait({fetching}, timeout=drain_s)
            finally:
                indexing.cancel()  # gives back what it has under way, whereupon the batches end
                await asyncio.wait({indexing, fetching})
                beating.cancel()
                stopping.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self._sign_off()
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _sign_off(self) -> None:
        try:
            await asyncio.to_thread(self._workers.end, self._me.uid)
        except StoreError as error:  # the server notices its silence
            log.warning("worker.not_signed_off", code=error.code)
        log.info("worker.ended", done=self._done, errors=self._errors)

    # -- fetching ----------------------------------------------------------------------------------------------------------------
    async def _fetch(self) -> None:
        """Fetch batches until cancelled; then end when those at work have ended."""
        while True:
            await self._able.wait()
            self._queue.admit(True)
            try:
                app = self._tasks()
                async with connected(app, self._address):
                    await self._one_round(app)
            except (ConnectorException, psycopg.Error) as error:
                log.warning("worker.not_connected", code=connection_error(error).code, kind=type(error).__name__)
            if self._able.is_set():
                await asyncio.sleep(RETRY_AFTER_S)

    async def _one_round(self, app: App) -> None:
        """Fetch until cancelled, blocked or disconnected; end when all that was fetched has ended."""
        fetchers = {
            asyncio.create_task(
                app.run_worker_async(
                    queues=[queue], name=self._me.name, concurrency=at_once, delete_jobs="always", install_signal_handlers=False
                )
            )
            for queue, at_once in QUEUES.items()
        }
        blocked = self._round = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait({*fetchers, blocked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            blocked.cancel()
            self._round = None
            self._queue.admit(False)
            for each in fetchers:
                each.cancel()
            ended = asyncio.gather(*fetchers, return_exceptions=True)
            await asyncio.shield(ended)
        for each in fetchers:
            if not each.cancelled() and (error := each.exception()) is not None:
                raise error

    def _tasks(self) -> App:
        app = unopened(self._address)

        @app.task(name=TASK, pass_context=True)
        async def index_batch(context: JobContext) -> None:
            assert context.job.id is not None
            await self._queue.work(context.job.id, first=context.job.queue == ASKED_QUEUE)

        return app

    def _changed(self, _: None) -> None:
        """Fetch no more while something stops all work, and give back what others could do."""
        if self._indexer.stuck is None:
            self._able.set()
            return
        self._able.clear()
        if self._round is not None and not self._round.done():
            self._round.set_result(None)

    # -- saying what it does -----------------------------------------------------------------------------------------------------
    async def _beat(self, stop: asyncio.Event) -> None:
        while True:
            self._say.clear()
            try:
                if await asyncio.to_thread(self._workers.beat, self._me.uid, self._me.name, self._me.host, self._now()):
                    stop.set()
            except StoreError as error:
                log.warning("worker.not_heard", code=error.code)
            await wait_at_most(self._say, BEAT_S)

    def _now(self) -> Beat:
        now = self._environment.monotonic()
        while self._ended and self._ended[0] < now - RATE_S:
            self._ended.popleft()
        state = self._state
        problem = self._indexer.told if state is WorkerState.BLOCKED else None
        return Beat(state, self._done, self._errors, len(self._ended) * 60 / RATE_S, self._queue.held, problem)

    @property
    def _state(self) -> WorkerState:
        if self._draining:
            return WorkerState.DRAINING
        if self._indexer.told is not None:
            return WorkerState.BLOCKED
        return WorkerState.WORKING if self._indexer.running else WorkerState.IDLE

    def _happened(self, recorded: StoredEvent) -> None:
        if isinstance(recorded.event, ImageIndexed | LocationAdded):
            self._done += 1
            self._ended.append(self._environment.monotonic())
        elif isinstance(recorded.event, ImageFailed):
            self._errors += 1


@asynccontextmanager
async def connected(app: App, address: str) -> AsyncIterator[None]:
    """Open the app's connections to the database. Raises ConnectorException, psycopg.Error.

    The pool is ours: procrastinate doesn't close one whose opening was cancelled. Its tasks survive being cancelled, so the loop would
    wait for them for ever, and the process would never end; told to stop, they end.
    """
    check = AsyncConnectionPool.check_connection
    pool = AsyncConnectionPool(
        address, kwargs=dict(ALIVE), min_size=1, max_size=MOST_CONNECTIONS, open=False, check=check, timeout=CONNECTION_S
    )
    try:
        await pool.open(wait=True, timeout=CONNECTION_S)
        async with app.open_async(pool):
            yield
    finally:
        await asyncio.shield(pool.close(CLOSE_S))


def unopened(address: str) -> App:
    return App(connector=PsycopgConnector(conninfo=address))
