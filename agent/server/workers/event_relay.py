"""Events that other processes recorded arrive on this process's bus, in order, each once."""

import asyncio
from collections.abc import Sequence

import psycopg
import structlog

from agent.domain.errors import StoreError
from agent.domain.events import StoredEvent
from agent.infrastructure.core.bus import Bus
from agent.infrastructure.core.observable import ChangeSignal, Signal
from agent.infrastructure.store import event_rows, pg_notify
from agent.infrastructure.store.addresses import ALIVE
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.postgresql import connection_error
from agent.infrastructure.store.pg_notify import Change
from agent.server.workers.queries.handout_rows import WORK_CHANNEL

log = structlog.get_logger()

PAGE = 500
LOOK_S = 30.0  # a connection that broke without a word is noticed by then
RETRY_AFTER_S = 1.0


class EventQueries(Queries):
    def last_event_id(self) -> int:
        with self.database.read() as tx:
            return event_rows.last_id(tx)

    def events_from_elsewhere(self, *, after: int, limit: int) -> tuple[int, list[StoredEvent]]:
        """Return events of other processes, and the last id that was looked at."""
        with self.database.read() as tx:
            return event_rows.read_from_elsewhere(tx, after=after, limit=limit)

    def say(self, kind: str, about: str = "") -> None:
        """Tell the other processes something that is in no table."""
        with self.database.read() as tx:
            pg_notify.say(tx, kind, about)

    def application(self) -> str:
        """The name by which notices of this process are known."""
        with self.database.read() as tx:
            return pg_notify.application_of(tx)


class EventRelay:
    """Listens on a connection of its own, which is opened again when it breaks: what was missed is read from the table."""

    def __init__(self, address: str, events: EventQueries, bus: Bus) -> None:
        """`address` is the database's, as libpq takes it."""
        self.arrived = Signal[Sequence[StoredEvent]]()
        """events of other processes, after the bus has delivered them"""
        self.work = ChangeSignal()
        """a worker has room, or gave photos back"""
        self.changed = Signal[Change]()
        """another process changed what is kept in memory here, or says something"""
        self.deaf = ChangeSignal()
        """such changes may have been missed: nothing that is kept in memory counts any more"""
        self.ready = asyncio.Event()
        """set once what happens elsewhere arrives"""
        self._address = address
        self._events = events
        self._bus = bus

    async def run(self) -> None:
        """Run until cancelled."""
        last: int | None = None
        while True:
            try:
                if last is None:
                    last = await asyncio.to_thread(self._events.last_event_id)
                me = await asyncio.to_thread(self._events.application)
                async with await psycopg.AsyncConnection.connect(self._address, autocommit=True, **ALIVE) as connection:
                    for channel in (event_rows.CHANNEL, WORK_CHANNEL, pg_notify.CHANNEL):
                        await connection.execute(f"LISTEN {channel}".encode())
                    self.deaf.notify()
                    while True:
                        last = await self._deliver(last)
                        self.ready.set()
                        heard = [each async for each in connection.notifies(timeout=LOOK_S, stop_after=1)]
                        heard += [each async for each in connection.notifies(timeout=0)]
                        if not heard:
                            await connection.execute("SELECT 1")
                        self._tell(heard, me)
            except (psycopg.OperationalError, StoreError) as error:
                log.warning("events.not_heard", code=connection_error(error).code, kind=type(error).__name__)
                await asyncio.sleep(RETRY_AFTER_S)

    def _tell(self, heard: Sequence[psycopg.Notify], me: str) -> None:
        changes = [Change.read(each.payload) for each in heard if each.channel == pg_notify.CHANNEL]
        for change in changes:
            if change.application != me:
                self.changed.send(change)
        if any(each.channel == WORK_CHANNEL for each in heard):
            self.work.notify()

    async def _deliver(self, last: int) -> int:
        """Publish what others recorded since; return the last id."""
        while True:
            before = last
            last, events = await asyncio.to_thread(self._events.events_from_elsewhere, after=before, limit=PAGE)
            if last == before:
                return last
            if events:
                self._bus.publish(events)
                self.arrived.send(events)
