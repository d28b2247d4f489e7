"""Serves the API on loopback and leaves word where, in a file only the owner can read."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Generator
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from agent.domain.errors import SettingsInvalid
from agent.web.connection import BACKLOG, Connection, Door
from agent.web.received import sweep
from agent.web.serving_lock import held
from agent.web.whereabouts import Whereabouts, forget, leave


@contextlib.asynccontextmanager
async def serving(
    application: Callable[[Callable[[], int]], FastAPI], *, token: str, port: int, runtime: Path, door: Door | None = None
) -> AsyncIterator[int]:
    """Serve while inside; yields the port, which `application` is told too. What is left in `runtime`, with the `token`, goes away then.

    `door` lets connections in.
    """
    # TCP by name: asyncio sends small answers at once (TCP_NODELAY) only for sockets that say so; others wait 40 ms for an acknowledgement.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        if os.name == "posix":  # on Windows the option lets a stranger take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsInvalid(key="api.port", reason="port_taken") from error
        bound = int(listener.getsockname()[1])
        config = uvicorn.Config(
            application(lambda: bound),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            http=partial(Connection, door or Door()),  # type: ignore[arg-type]  # it is called as a class is
            ws="none",
            backlog=BACKLOG,
            timeout_graceful_shutdown=1,
        )
        await asyncio.to_thread(sweep, time.time())
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready(task)
            with held(runtime):
                leave(runtime, Whereabouts(bound, token, os.getpid()))
                try:
                    yield bound
                finally:
                    forget(runtime)
        finally:
            server.end()
            await task


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves signals to the process, which ends more than this server."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def ready(self, serving: "asyncio.Task[None]") -> None:
        """Wait until it answers; raises what kept it from starting."""
        waiter = asyncio.create_task(self._ready.wait())
        await asyncio.wait({waiter, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if serving.done():
            serving.result()

    async def main_loop(self) -> None:
        """Uvicorn's own looks ten times a second whether it is to end: the only thing that would not let an idle agent rest."""
        await self.on_tick(0)
        await self._ended.wait()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
