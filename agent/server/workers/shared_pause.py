"""A pause of the work, which holds in all processes of a server."""

import asyncio

import structlog
from sqlalchemy import insert, select, update

from agent.domain.errors import AgentError
from agent.features.library.indexer import Indexer
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import shared

log = structlog.get_logger()

PAUSED = "paused"  # a row of what processes share; its changes are told, see `agent.infrastructure.store.pg_notify`
RETRY_S = 2.0


class PauseQueries(Queries):
    def paused(self) -> bool:
        with self.database.read() as tx:
            content = tx.scalar(select(shared.c.content).where(shared.c.name == PAUSED))
        return bool(content)

    def pause(self, paused: bool) -> None:
        with self.database.write(durable=True) as tx:
            if not tx.execute(update(shared).where(shared.c.name == PAUSED).values(content=paused)).rowcount:
                tx.execute(insert(shared).values(name=PAUSED, version=1, content=paused))


class SharedPause:
    """Use it from one event loop."""

    def __init__(self, queries: PauseQueries, indexer: Indexer) -> None:
        self._queries = queries
        self._indexer = indexer
        self._wake = asyncio.Event()
        self._stale = True  # the database is to be read
        self._known = indexer.paused  # as the database has it

    def look(self) -> None:
        """Read it again: another process may have changed it."""
        self._stale = True
        self._wake.set()

    async def run(self) -> None:
        """Follow, and tell, until cancelled."""
        told = self._indexer.pausing.subscribe(lambda _: self._wake.set())
        try:
            while True:
                try:
                    await self._settle()
                    await self._wake.wait()
                    self._wake.clear()
                except AgentError as error:
                    log.warning("work.pause_not_shared", code=error.code)
                    await asyncio.sleep(RETRY_S)
        finally:
            told()

    async def _settle(self) -> None:
        if self._indexer.paused != self._known:  # said here: the last word counts
            paused = self._indexer.paused
            await asyncio.to_thread(self._queries.pause, paused)
            self._known, self._stale = paused, self._indexer.paused != paused
        if self._stale:
            self._stale = False
            paused = await asyncio.to_thread(self._queries.paused)
            if self._indexer.paused == self._known != paused:
                self._known = paused
                if paused:
                    self._indexer.pause()
                else:
                    self._indexer.resume()
            else:
                self._known = paused
