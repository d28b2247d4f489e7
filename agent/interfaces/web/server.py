"""Serves the API, on loopback or on the network, and writes its address to a file that only the owner can read."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from agent.domain.errors import SettingsInvalid
from agent.infrastructure.core import scratch_folders
from agent.interfaces.web import upload_spool
from agent.interfaces.web.connection_quota import ConnectionLease, ConnectionQuota
from agent.interfaces.web.local_connections import BACKLOG, Connection, ConnectionPolicy
from agent.interfaces.web.runtime_file import RuntimeInfo, forget, leave, serving_lock
from agent.interfaces.web.socket_activation import BACKLOG as LONGER
from agent.interfaces.web.socket_activation import activated_socket
from agent.interfaces.web.tls_acceptor import TlsAcceptor

HANDSHAKE_S = 10.0
GRACE_S = 1.0
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Network:
    """Where and how to listen."""

    host: str = "127.0.0.1"
    setting: str = "api.port"  # of the port
    tls: ssl.SSLContext | None = None
    trusted: Path | None = None  # the certificate that commands on this computer expect
    host_setting: str = "server.host"
    activated_socket: str = ""  # the name under which a supervisor may hand over the listening socket

    def bind(self, port: int) -> socket.socket:
        """Return the listening socket. Raises SettingsInvalid for a port that is taken or refused, or another computer's address."""
        if (given := activated_socket(self.activated_socket)) is not None:
            return given
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # TCP explicitly: asyncio only sets TCP_NODELAY on such sockets; on others small answers wait 40 ms for an acknowledgement.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            if os.name == "posix":  # on Windows the option lets another user take over the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((self.host, port))
        except OSError as error:
            listener.close()
            raise self._refusal(error) from error
        return listener

    def _refusal(self, error: OSError) -> SettingsInvalid:
        if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
            return SettingsInvalid(key=self.host_setting, reason="address")  # the agent's is always there
        return SettingsInvalid(key=self.setting, reason="port_refused" if isinstance(error, PermissionError) else "port_taken")


class SocketHandover:
    """Hands a listening socket that outlives this process on to the next one, without a request refused or cut off."""

    def __init__(self, grace_s: float = GRACE_S) -> None:
        self._grace_s = grace_s
        self.server: _Server | None = None

    async def stop_accepting(self) -> None:
        """Accept no more connections; close the others between two requests. Set that answers close theirs before."""
        if self.server is not None:
            await self.server.stop_accepting(self._grace_s)


class _EndingUnsaid(logging.Filter):
    """Leaves out what Uvicorn says, with a stack for each, of requests that its end cuts off: `server.cut_off` says it once."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, asyncio.CancelledError) and not str(record.msg).startswith("Cancel ")


_ENDING_UNSAID = _EndingUnsaid()
_LOOPBACK = Network()


def believed_proxies(named: Iterable[str]) -> list[str]:
    """Return the addresses and networks whose word on a visitor's address counts, as Uvicorn takes them: `10.1.2.3/8` is none for it.

    A proxy on this computer must be named, too: other programs and users of the computer could claim any address.
    """
    return [str(ip_network(each, strict=False)) for each in named]


@contextlib.asynccontextmanager
async def serving(
    application: Callable[[Callable[[], int]], ASGIApp],
    *,
    token: str,
    port: int,
    runtime: Path,
    policy: ConnectionPolicy | None = None,
    network: Network = _LOOPBACK,
    succession: SocketHandover | None = None,
) -> AsyncIterator[int]:
    """Serve while inside; yields the port, also passed to `application`. The file in `runtime`, with the `token`, is deleted at the end.

    `policy` admits connections; `succession` is for a listening socket that was handed over.
    """
    policy = policy or ConnectionPolicy()
    with network.bind(port) as listener:
        bound = int(listener.getsockname()[1])
        config = uvicorn.Config(
            application(lambda: bound),
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            http=partial(Connection, policy),  # type: ignore[arg-type]  # it is called as a class is
            ws="none",
            backlog=LONGER if succession is not None else BACKLOG,
            timeout_graceful_shutdown=1,
            forwarded_allow_ips=believed_proxies(policy.quota.exempt),
            ssl_context_factory=None if (tls := network.tls) is None else lambda *_: tls,
        )
        logging.getLogger("uvicorn.error").addFilter(_ENDING_UNSAID)
        await asyncio.to_thread(upload_spool.sweep, time.time())
        await asyncio.to_thread(scratch_folders.sweep, time.time())
        server = _Server(config, policy.quota)
        if succession is not None:
            succession.server = server
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.ready(task)
            with serving_lock(runtime):
                leave(runtime, RuntimeInfo(bound, token, os.getpid(), str(network.trusted or "")))
                try:
                    yield bound
                finally:
                    forget(runtime)
        finally:
            server.end()
            await task


class _Server(uvicorn.Server):
    """Reports when it is ready, and leaves signals to the process, which ends more than this server."""

    def __init__(self, config: uvicorn.Config, quota: ConnectionQuota) -> None:
        super().__init__(config)
        self._quota = quota
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As Uvicorn's, which leaves who never finishes the handshake a minute, and counts no such connection."""
        config, state = self.config, self.server_state

        def connection(visit: ConnectionLease | None = None) -> asyncio.Protocol:
            facts: dict[str, Any] = {"config": config, "server_state": state, "app_state": self.lifespan.state, "visit": visit}
            return config.http_protocol_class(**facts)  # ours

        if config.ssl is None:
            create = partial(asyncio.get_running_loop().create_server, connection, backlog=config.backlog)
            self.servers = [await create(sock=each) for each in sockets or ()]
        else:
            acceptors = [TlsAcceptor(each, connection, config.ssl, self._quota, HANDSHAKE_S) for each in sockets or ()]
            for each in acceptors:
                each.start(config.backlog)
            self.servers = acceptors  # type: ignore[assignment]  # of a server, only its end is used
        self.started = True
        self._ready.set()

    async def stop_accepting(self, grace_s: float) -> None:
        """See `SocketHandover`. Connections that rest are closed after `grace_s`: a request may be under way on one that just answered."""
        await asyncio.gather(*(each.stop_accepting() for each in self.servers if isinstance(each, TlsAcceptor)))
        connections, until = self.server_state.connections, time.monotonic() + grace_s
        while connections and time.monotonic() < until:  # noqa: ASYNC110 - nothing tells when one ends
            await asyncio.sleep(_LOOK_S)
        for each in list(connections):
            each.shutdown()

    async def ready(self, serving: "asyncio.Task[None]") -> None:
        """Wait until it answers; raises the error that prevented its start."""
        waiter = asyncio.create_task(self._ready.wait())
        await asyncio.wait({waiter, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if serving.done():
            serving.result()

    async def main_loop(self) -> None:
        """Uvicorn's own loop checks ten times a second whether to end: the only activity of an otherwise idle agent."""
        await self.on_tick(0)
        await self._ended.wait()

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
