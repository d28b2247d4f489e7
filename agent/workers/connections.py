"""procrastinate's connections: closed whatever happens, so that nothing of them outlives the worker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from procrastinate import App, PsycopgConnector
from psycopg_pool import AsyncConnectionPool

from agent.store.addresses import ALIVE

MOST = 4
CLOSE_S = 1.0  # for connections that are being made; then they are left


@asynccontextmanager
async def connected(app: App, address: str) -> AsyncIterator[None]:
    """Open the app's connections to the database. Raises ConnectorException, psycopg.Error.

    The pool is ours: procrastinate doesn't close one whose opening was cancelled. Its tasks survive being cancelled, so the loop would
    wait for them for ever, and the process would never end; told to stop, they end.
    """
    check = AsyncConnectionPool.check_connection
    pool = AsyncConnectionPool(address, kwargs=dict(ALIVE), min_size=1, max_size=MOST, open=False, check=check)
    try:
        await pool.open(wait=True)
        async with app.open_async(pool):
            yield
    finally:
        await asyncio.shield(pool.close(CLOSE_S))


def unopened(address: str) -> App:
    return App(connector=PsycopgConnector(conninfo=address))
