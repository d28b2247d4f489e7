"""Counts connections and unfinished TLS handshakes by address, so that one visitor leaves room for the others."""

import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Final

import structlog

from agent.interfaces.web.client_address import network_of

log = structlog.get_logger()

MOST_HANDSHAKES: Final = 512
"""under way at once, of all addresses: each holds a file handle"""
_HERE: Final = ("127.0.0.1", "::1")
_QUIET_S: Final = 60.0


@dataclass(eq=False)
class ConnectionLease:
    """One accepted connection, from before its handshake until it is closed."""

    _quota: "ConnectionQuota"
    network: str
    greeting: bool = True
    inside: bool = True

    def greeted(self) -> None:
        """The handshake is over, whether it succeeded or not."""
        if self.greeting:
            self.greeting = False
            self._quota.over(self)

    def left(self) -> None:
        """The connection is closed."""
        self.greeted()
        if self.inside:
            self.inside = False
            self._quota.gone(self)


@dataclass
class ConnectionQuota:
    """`exempt` are addresses and networks, such as of proxies, which stand for many visitors; so do programs on this computer."""

    most: int
    """connections of one address"""
    most_handshakes: int
    """unfinished ones of one address"""
    exempt: Collection[str] = ()
    monotonic: Callable[[], float] = time.monotonic
    _connections: Counter[str] = field(default_factory=Counter)
    _handshakes: Counter[str] = field(default_factory=Counter)
    _told: float | None = None

    def enter(self, address: str) -> ConnectionLease | None:
        """Admit a connection; None if its address has enough."""
        counted, network = not self._is_exempt(address), network_of(address)
        full = self._handshakes.total() >= MOST_HANDSHAKES
        if counted and (self._connections[network] >= self.most or self._handshakes[network] >= self.most_handshakes):
            full = True
        if full:
            self._tell()
            return None
        self._connections[network] += 1
        self._handshakes[network] += 1
        return ConnectionLease(self, network)

    def over(self, visit: ConnectionLease) -> None:
        _less(self._handshakes, visit.network)

    def gone(self, visit: ConnectionLease) -> None:
        _less(self._connections, visit.network)

    def _is_exempt(self, address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0].removeprefix("::ffff:"))
        except ValueError:
            return False
        return any(found in ip_network(each, strict=False) for each in (*_HERE, *self.exempt))

    def _tell(self) -> None:
        """Log refusals only now and then, and without addresses."""
        if self._told is None or self.monotonic() - self._told > _QUIET_S:
            self._told = self.monotonic()
            log.warning("api.address_refused", open=self._connections.total(), handshakes=self._handshakes.total())


def _less(counts: Counter[str], network: str) -> None:
    counts[network] -= 1
    if counts[network] <= 0:
        del counts[network]
