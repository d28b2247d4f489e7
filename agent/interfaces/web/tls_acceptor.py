"""Accepts connections one by one, so that a visitor is counted before the TLS handshake, which costs the server most.

asyncio's own server starts the handshake itself and tells of a connection only when that is done.
"""

import asyncio
import socket
import ssl
from asyncio import sslproto
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from agent.infrastructure.core.background import BackgroundTasks
from agent.interfaces.web.connection_quota import ConnectionLease, ConnectionQuota

log = structlog.get_logger()

_READ: Final = 16_384  # bytes: a record of TLS holds no more
_AGAIN_S: Final = 1.0  # after the system has no file handle left, as asyncio waits


class TlsAcceptor:
    """Takes the place of an `asyncio.Server` for one listening socket. Make it inside the event loop."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[ConnectionLease], asyncio.Protocol],
        context: ssl.SSLContext,
        quota: ConnectionQuota,
        handshake_s: float,
    ) -> None:
        self._listener = listener
        self._protocol = protocol
        self._context = context
        self._quota = quota
        self._handshake_s = handshake_s
        self._greetings = BackgroundTasks()
        self._accepting: asyncio.Task[None] | None = None
        self._stepped_back = False
        self._closed = asyncio.Event()

    def start(self, backlog: int) -> None:
        sslproto.SSLProtocol.max_size = _READ  # each connection keeps room for that much, otherwise a quarter of a megabyte
        self._listener.setblocking(False)
        self._listener.listen(backlog)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def stop_accepting(self) -> None:
        """Accept no more, and finish the handshakes that began: what comes now waits for the process that shares the socket.

        Only for event loops that wait for readiness, as on POSIX systems.
        """
        loop, self._stepped_back = asyncio.get_running_loop(), True
        loop.remove_reader(self._listener)
        await asyncio.sleep(0)  # what was accepted already is greeted
        if self._accepting is not None and not self._accepting.done():
            self._accepting.cancel()
        if self._greetings:
            await asyncio.wait(self._greetings)

    def close(self) -> None:
        """Take no more connections; those that are not greeted yet are cut off.

        A turn of the loop later each: what was accepted in this one must come to its greeting, which closes its socket.
        """
        loop, self._stepped_back = asyncio.get_running_loop(), True
        if self._listener.fileno() >= 0:
            with suppress(NotImplementedError):  # on Windows nothing is registered
                loop.remove_reader(self._listener)
        loop.call_soon(self._cut_off)

    async def wait_closed(self) -> None:
        await self._closed.wait()
        await asyncio.gather(*filter(None, (self._accepting, *self._greetings)), return_exceptions=True)

    def _cut_off(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
        asyncio.get_running_loop().call_soon(self._cut_off_greetings)

    def _cut_off_greetings(self) -> None:
        for task in self._greetings:
            task.cancel()
        self._closed.set()

    async def _accept(self) -> None:
        try:
            await self._accept_each()
        finally:
            self._listener.close()

    async def _accept_each(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stepped_back:
            try:
                connection, address = await loop.sock_accept(self._listener)
            except ConnectionError:  # it was gone before it was accepted
                continue
            except OSError as error:
                log.warning("api.not_accepted", kind=type(error).__name__)
                await asyncio.sleep(_AGAIN_S)
                continue
            visit = self._quota.enter(str(address[0]))
            if visit is None:
                connection.close()
                continue
            self._greetings.start(self._greet(connection, visit))

    async def _greet(self, connection: socket.socket, visit: ConnectionLease) -> None:
        """Finish the handshake within its time limit."""
        connection.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._protocol(visit), connection, ssl=self._context, ssl_handshake_timeout=self._handshake_s
            )
        except OSError:  # no TLS, none that we speak, or too slow: its transport closes the socket
            visit.left()
        except asyncio.CancelledError:
            visit.left()
            raise
