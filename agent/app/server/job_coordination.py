"""The server's share of its workers' work: photos are handed out, what workers leave behind is put back, what they did arrives here.

Several processes of a server hand out photos; what else they share is the leader's, see `agent.server.workers.leader_election`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from agent.app.app import App
from agent.domain.errors import AgentError
from agent.domain.events import ImageFailed, ImageIndexed, LocationAdded, PeopleChanged, StoredEvent
from agent.features.library.job_queue import JobQueue
from agent.infrastructure.core.leadership import Leadership
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.store.addresses import libpq_address
from agent.infrastructure.store.database import Database
from agent.server.workers.dispatcher import Dispatcher
from agent.server.workers.event_relay import EventQueries, EventRelay
from agent.server.workers.leader_election import Election, SessionClaims
from agent.server.workers.queries.handout_rows import HandoutQueries
from agent.server.workers.queries.work_queue import prepare
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.shared_pause import PauseQueries, SharedPause
from agent.server.workers.sweeper import SILENT_S, Sweeper

log = structlog.get_logger()

# Elsewhere the asynchronous connections need another event loop than the engines' pipes: there the server analyses by itself.
HAS_WORKERS = sys.platform != "win32"

RESCAN = "rescan"  # said among processes
RECENT_S = 5.0  # an edit of another process may not have been heard of for that long


class JobCoordinator:
    """Pass `queue` to the wiring, then `join` the app that it built."""

    def __init__(self, database: Database, url: str) -> None:
        """`url` is the database's in SQLAlchemy's form. Blocks. Raises StoreError."""
        prepare(database)
        self.workers = WorkerQueries(database)
        self._database = database
        self._batches = HandoutQueries(database)
        self._pause = PauseQueries(database)
        self._events = EventQueries(database)
        self._address = libpq_address(url)
        self.election = Election(self._address)
        self.claims = SessionClaims(self._address)
        self.relay: EventRelay | None = None

    def queue(self, environment: Environment) -> JobQueue:
        return Dispatcher(self._batches, environment)

    def tell(self, kind: str, about: str = "") -> None:
        """Tell the server's other processes something. Blocks. Raises StoreError."""
        self._events.say(kind, about)

    def join(self, app: App) -> EventRelay:
        """Make what hears the other processes; `run` runs it."""
        self.relay = EventRelay(self._address, self._events, app.bus)
        return self.relay

    async def run(self, app: App, *, silent_s: float = SILENT_S) -> None:
        """Run until cancelled."""
        results: asyncio.Queue[Sequence[StoredEvent]] = asyncio.Queue()
        relay = self.relay or self.join(app)
        sweeper = Sweeper(self.workers, app.environment, silent_s=silent_s)
        for room in (relay.work, sweeper.swept):
            room.subscribe(app.indexer.wake)
        sweeper.swept.subscribe(app.redaction.work.wake)  # of a process that ended, copies may be left
        relay.arrived.subscribe(results.put_nowait)
        relay.arrived.subscribe(lambda events: _count(app, events))
        recalls, rescans, asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        pause = SharedPause(self._pause, app.indexer)
        relay.changed.subscribe(lambda change: pause.look() if change.table == "shared" else None)
        relay.changed.subscribe(lambda change: asked.set() if change.table == RESCAN else None)
        relay.deaf.subscribe(lambda _: pause.look())
        subscribed = (
            app.indexer.pausing.subscribe(lambda _: recalls.set() if app.indexer.paused else None),
            app.rescans.subscribe(lambda _: rescans.set()),
        )
        works = (
            self.election.run(),
            relay.run(),
            pause.run(),
            app.leadership.during(sweeper.run),
            RemoteResults(app, self.election).run(results),
            self._again(recalls, lambda: asyncio.to_thread(self._batches.recall)),
            self._again(rescans, self._pass_on),
            app.leadership.during(partial(self._again, asked, app.scan_again)),
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in works:
                    tasks.create_task(work)
        finally:
            for end in subscribed:
                end()

    async def _pass_on(self) -> None:
        """Have the leader scan, if that is another process."""
        if not self.election.leads:
            await asyncio.to_thread(self.tell, RESCAN)

    async def _again(self, wanted: asyncio.Event, work: Callable[[], Awaitable[object]]) -> None:
        """Do it each time that it is wanted. Of paused work, what no worker has begun is recalled: nothing more is handed out."""
        while True:
            await wanted.wait()
            wanted.clear()
            try:
                await work()
            except AgentError as error:
                log.warning("work.not_done", code=error.code)


class RemoteResults:
    """Tells the matcher what other processes analysed and named. The leader also identifies new photos by all that is known here."""

    def __init__(self, app: App, leadership: Leadership) -> None:
        self._app = app
        self._leadership = leadership
        self._recent: dict[int, float] = {}  # photos, and when they were identified

    async def run(self, results: asyncio.Queue[Sequence[StoredEvent]]) -> None:
        """Run until cancelled."""
        while True:
            await self._take(await results.get())

    async def _take(self, events: Sequence[StoredEvent]) -> None:
        people, now = self._app.people, asyncio.get_running_loop().time()
        images = dict.fromkeys(each.event.image_id for each in events if isinstance(each.event, ImageIndexed))
        self._recent = {image: at for image, at in self._recent.items() if now - at < RECENT_S}
        try:
            if actions := {each.event.action for each in events if isinstance(each.event, PeopleChanged)}:
                await people.changed_elsewhere(actions)
                images = dict.fromkeys((*self._recent, *images))  # those were identified by what was known before
            if images:
                self._recent |= dict.fromkeys(images, now)
                await people.arrived(tuple(images), identify=self._leadership.leads)
        except AgentError as error:
            log.warning("people.recheck_failed", code=error.code)
            people.doubt()


def _count(app: App, events: Sequence[StoredEvent]) -> None:
    for each in events:
        if isinstance(each.event, ImageIndexed):
            app.indexer.progress.indexed(each.event.faces)
        elif isinstance(each.event, LocationAdded):
            app.indexer.progress.indexed(0)
        elif isinstance(each.event, ImageFailed):
            app.indexer.progress.failed()
