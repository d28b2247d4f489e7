"""Limits connections to the API: only this user's programs, a maximum number, and a time limit for sending a request."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import h11
import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol

from agent.interfaces.web.connection_quota import ConnectionLease, ConnectionQuota
from agent.interfaces.web.peers import Address, is_same_user

log = structlog.get_logger()

# Browsers open six each, commands one.
MOST = 128
# This many are accepted before the first of them is checked, each with its own file handle.
BACKLOG = 64
HEADERS_S = 10.0
WAITING = 65_536  # bytes of an answer that wait for the network, before more is asked for
_QUIET_S = 60.0

Welcome: TypeAlias = Callable[[Address, Address], bool]


@dataclass
class ConnectionPolicy:
    """Admits connections. `welcome` is called for each with its two ends, the other's first, before a byte of it is read."""

    welcome: Welcome = is_same_user
    most: int = MOST
    headers_s: float = HEADERS_S
    quota: ConnectionQuota = field(default_factory=lambda: ConnectionQuota(MOST, MOST))
    """for TLS: limits by address"""
    _told: float | None = None

    def opens(self, transport: asyncio.BaseTransport, connections: int) -> bool:
        here, there = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        opens = connections <= self.most and here is not None and there is not None and self.welcome(there[:2], here[:2])
        if not opens:
            self._tell(connections)
        return opens

    def _tell(self, connections: int) -> None:
        """Log refusals only now and then: refused clients could otherwise fill the log."""
        if self._told is None or time.monotonic() - self._told > _QUIET_S:
            self._told = time.monotonic()
            log.warning("api.connection_refused", open=connections - 1)


class Connection(H11Protocol):
    def __init__(self, policy: ConnectionPolicy, visit: ConnectionLease | None, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self._door = policy
        self._visit = visit
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        if self.client is not None:  # as it is written everywhere else, also by a listener for both versions of IP
            self.client = (self.client[0].removeprefix("::ffff:"), self.client[1])
        transport.set_write_buffer_limits(WAITING)  # of TLS, asyncio would hold eight times as much
        if self._visit is not None:
            self._visit.greeted()
        if self._door.opens(transport, len(self.connections)):
            self._expect_headers()
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        if self._visit is not None:
            self._visit.left()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        """Limit the time for a request's head; between requests uvicorn's own, shorter limit applies."""
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._waiting is None:
            self._waiting = self.loop.call_later(self._door.headers_s, self._give_up)

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if self.conn.their_state is h11.IDLE:
            self.transport.abort()
