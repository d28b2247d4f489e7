"""Claims of a server's processes: locks of a session of the database, which end with the process, or with its connection."""

import asyncio
from contextlib import suppress
from typing import Any

import psycopg

from agent.domain.errors import StoreUnreachable
from agent.store.addresses import ALIVE

_CLAIMS = 0x4149  # the first half of the advisory locks' numbers
_ANSWER_S = 10.0


class SessionClaims:
    """Implements `agent.core.claims.Claims`. `address` is the database's, as libpq takes it. The connection is made at first use."""

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
                async with asyncio.timeout(_ANSWER_S):
                    if self._connection is None:
                        self._connection = await psycopg.AsyncConnection.connect(self._address, autocommit=True, **ALIVE)
                    row = await (await self._connection.execute(statement.encode(), [_CLAIMS, name])).fetchone()
            except (psycopg.Error, TimeoutError):
                await self.close()
                raise StoreUnreachable from None
        return row is not None and bool(row[0])
