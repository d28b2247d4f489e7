"""The server's share of its workers' work: photos are handed out, what workers leave behind is put back, what they did arrives here."""

import asyncio
import sys
from collections.abc import Sequence

import structlog

from agent.core.environment import Environment
from agent.domain.errors import AgentError
from agent.domain.events import ImageFailed, ImageIndexed, PlaceAdded, Recorded
from agent.library.job_queue import JobQueue
from agent.main.app import App
from agent.store.database import Database
from agent.workers.dispatcher import Dispatcher
from agent.workers.queries.handout_rows import HandoutQueries
from agent.workers.queries.queue_tables import prepare
from agent.workers.queries.worker_rows import WorkerQueries
from agent.workers.relay import EventQueries, EventRelay, libpq_address
from agent.workers.sweeper import SILENT_S, Sweeper

log = structlog.get_logger()

# Elsewhere the asynchronous connections need another event loop than the engines' pipes: there the server analyses by itself.
HAS_WORKERS = sys.platform != "win32"


class TeamWork:
    """Pass `queue` to the wiring, then `join` the app that it built."""

    def __init__(self, database: Database, url: str) -> None:
        """`url` is the database's in SQLAlchemy's form. Blocks. Raises StoreError."""
        prepare(database)
        self.workers = WorkerQueries(database)
        self._database = database
        self._batches = HandoutQueries(database)
        self._address = libpq_address(url)

    def queue(self, environment: Environment) -> JobQueue:
        return Dispatcher(self._batches, environment)

    async def run(self, app: App, *, silent_s: float = SILENT_S) -> None:
        """Run until cancelled."""
        arrivals: asyncio.Queue[Sequence[Recorded]] = asyncio.Queue()
        relay = EventRelay(self._address, EventQueries(self._database), app.bus)
        sweeper = Sweeper(self.workers, app.environment, silent_s=silent_s)
        for room in (relay.work, sweeper.swept):
            room.subscribe(app.indexer.wake)
        relay.arrived.subscribe(arrivals.put_nowait)
        relay.arrived.subscribe(lambda events: _count(app, events))
        recalls = asyncio.Event()
        paused = app.indexer.pausing.subscribe(lambda _: recalls.set() if app.indexer.paused else None)
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (relay.run(), sweeper.run(), _identify(app, arrivals), self._recall(recalls)):
                    tasks.create_task(work)
        finally:
            paused()

    async def _recall(self, paused: asyncio.Event) -> None:
        """Hand out nothing more while the work is paused: what no worker has begun is taken back."""
        while True:
            await paused.wait()
            paused.clear()
            try:
                await asyncio.to_thread(self._batches.recall)
            except AgentError as error:
                log.warning("work.not_recalled", code=error.code)


async def _identify(app: App, arrivals: asyncio.Queue[Sequence[Recorded]]) -> None:
    """Tell the matcher the faces of photos analysed elsewhere, and identify them by all that is known here."""
    while True:
        events = await arrivals.get()
        try:
            await app.people.arrived(events)
        except AgentError as error:
            log.warning("people.recheck_failed", code=error.code)
            app.people.doubt()


def _count(app: App, events: Sequence[Recorded]) -> None:
    for each in events:
        if isinstance(each.event, ImageIndexed):
            app.indexer.progress.indexed(each.event.faces)
        elif isinstance(each.event, PlaceAdded):
            app.indexer.progress.indexed(0)
        elif isinstance(each.event, ImageFailed):
            app.indexer.progress.failed()
