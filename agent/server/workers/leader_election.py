"""Which of a server's processes leads, or does a piece of work: the one whose session of the database holds a lock.

The database is the judge of who leads: the lock ends with the session, so a killed leader is replaced at once. A leader that says
nothing for `SILENT_S` loses its session, and one that gets no answer stops leading before that. The two can overlap for a moment if a
leader's machine stood still, so what the leader does must not be wrong when it is done twice: photos are noted once by their path, a
message is sent at least once.
"""

import asyncio
from contextlib import suppress
from typing import Any

import psycopg
import structlog

from agent.domain.errors import StoreUnreachable
from agent.infrastructure.core.leadership import LeadershipState
from agent.infrastructure.store.addresses import ALIVE
from agent.infrastructure.store.dialects.postgresql import connection_error

log = structlog.get_logger()

LEADER = 0x41495056  # the advisory lock's number in the library's database
SILENT_S = 15.0
CONFIRM_S = 2.0
ANSWER_S = 8.0  # with CONFIRM_S less than SILENT_S
WAIT_S = 5.0  # for the lock, before asking again: a connection that broke without a word is noticed
RETRY_S = 1.0
_CLAIMS = 0x4149  # the first half of the advisory locks' numbers
_CLAIM_S = 10.0


class Election(LeadershipState):
    """`address` is the database's, as libpq takes it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.held = asyncio.Event()
        """set once it is known whether this process leads"""
        self._address = address

    async def run(self) -> None:
        """Stand until cancelled."""
        options = f"-c lock_timeout={round(WAIT_S * 1000)} -c idle_session_timeout={round(SILENT_S * 1000)}"
        while True:
            try:
                connecting = psycopg.AsyncConnection.connect(self._address, autocommit=True, options=options, **ALIVE)
                async with await connecting as connection:
                    await self._stand(connection)
            except (psycopg.Error, TimeoutError) as error:
                log.warning("leader.unknown", code=connection_error(error).code, kind=type(error).__name__)
            finally:
                if self.leads:
                    log.warning("leader.no_longer")
                self.set(False)
            await asyncio.sleep(RETRY_S)

    async def _stand(self, connection: psycopg.AsyncConnection) -> None:
        """Wait for the lock, then hold it. Raises psycopg.Error, TimeoutError when the session is lost."""
        row = await (await connection.execute("SELECT pg_try_advisory_lock(%s)", [LEADER])).fetchone()
        taken = row is not None and bool(row[0])
        while not taken:
            self.held.set()
            try:
                await connection.execute("SELECT pg_advisory_lock(%s)", [LEADER])
                taken = True
            except psycopg.errors.LockNotAvailable:
                continue
        log.info("leader.elected")
        self.set(True)
        self.held.set()
        while True:
            await asyncio.sleep(CONFIRM_S)
            async with asyncio.timeout(ANSWER_S):
                await connection.execute("SELECT 1")


class SessionClaims:
    """Implements `agent.infrastructure.core.leadership.WorkClaims` by locks of a session of the database, which end with the process, or
    with its
    connection.

    `address` is the database's, as libpq takes it. The connection is made at first use.
    """

    shared = True

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: psycopg.AsyncConnection[Any] | None = None
        self._turn = asyncio.Lock()

    async def take(self, name: str) -> bool:
        return await self._ask("SELECT pg_try_advisory_lock(%s, hashtext(%s))", name)

    async def drop(self, name: str) -> None:
        await self._ask("SELECT pg_advisory_unlock(%s, hashtext(%s))", name)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()

    async def _ask(self, statement: str, name: str) -> bool:
        async with self._turn:
            try:
                async with asyncio.timeout(_CLAIM_S):
                    if self._connection is None:
                        self._connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, **ALIVE)
                    row = await (await self._connection.execute(statement.encode(), [_CLAIMS, name])).fetchone()
            except (psycopg.Error, TimeoutError):
                await self.close()
                raise StoreUnreachable from None
        return row is not None and bool(row[0])
