"""Finds team servers that announce themselves in the local network, by mDNS. A child process of its own does it, and ends.

It reads what anyone in the network sends. The agent never loads the library, and gets what it checked.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Annotated, Final, Protocol

import psutil
from pydantic import BaseModel, Field, ValidationError

from agent.domain.errors import TeamSearchFailed
from agent.infrastructure.core.json_child import Child, ChildExited, ChildTimeout, own_command, send, take_pipes
from agent.interfaces.web.announcement import TYPE, FoundServer, IpAddress, believed

if TYPE_CHECKING:
    from zeroconf import ServiceStateChange, Zeroconf

SEARCH_S: Final = 3.0
MOST: Final = 20
"""servers that are shown"""
_MOST_NAMES: Final = 60  # asked for what they say: who floods the network must not keep the search busy
CHILD: Final = "find-servers"
_START_S: Final = 20.0  # on a busy computer


class Announced(Protocol):
    """An announcement as the library holds it (`zeroconf.ServiceInfo`)."""

    @property
    def properties(self) -> Mapping[bytes, bytes | None]: ...

    @property
    def port(self) -> int | None: ...

    def parsed_addresses(self) -> list[str]: ...


async def announced(seconds: float) -> list[Announced]:
    """Return what is announced within that time. Raises OSError if the network can't be asked."""
    from zeroconf import InterfaceChoice, IPVersion
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    running = AsyncZeroconf(interfaces=InterfaceChoice.All, ip_version=IPVersion.V4Only)
    asked: dict[str, tuple[AsyncServiceInfo, asyncio.Task[bool]]] = {}

    def changed(zeroconf: "Zeroconf", service_type: str, name: str, state_change: "ServiceStateChange") -> None:
        if name not in asked and len(asked) < _MOST_NAMES:
            info = AsyncServiceInfo(service_type, name)
            asked[name] = info, asyncio.create_task(info.async_request(zeroconf, seconds * 1_000))

    try:
        browser = AsyncServiceBrowser(running.zeroconf, TYPE, handlers=[changed])
        await asyncio.sleep(seconds)
        await browser.async_cancel()
        return [info for info, task in asked.values() if task.done() and not task.cancelled() and not task.exception() and task.result()]
    finally:
        for _, task in asked.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in asked.values()), return_exceptions=True)
        await running.async_close()


def servers(found: Iterable[Announced]) -> list[FoundServer]:
    """Return those that may be servers, by name, each address once."""
    own, networks = _own_networks()

    def distance(address: IpAddress) -> int:
        if address in own:  # a bridge of containers has the same address on many computers
            return 2
        return 0 if any(address.version == each.version and address in each for each in networks) else 1

    unique: dict[str, FoundServer] = {}
    for each in found:
        addresses = sorted((ip_address(address) for address in each.parsed_addresses()), key=lambda one: (distance(one), one.version, one))
        server = believed(each.properties, tuple(addresses), each.port or 0)
        if server is not None:
            unique.setdefault(server.address, server)
    return sorted(unique.values(), key=lambda one: (one.name.casefold(), one.address))[:MOST]


def main() -> int:
    """The child: search once, answer with what was found."""
    requests, answers = take_pipes()
    seconds = float(json.loads(requests.readline() or "{}").get("seconds", SEARCH_S))
    try:
        found = servers(asyncio.run(announced(seconds)))
    except (OSError, RuntimeError):  # no network, or none that multicasts
        found = []
    send(answers, {"servers": [asdict(each) for each in found]})
    return 0


def _own_networks() -> tuple[set[IpAddress], list[IPv4Network | IPv6Network]]:
    """Return this computer's addresses, and the networks that they are in."""
    own: set[IpAddress] = set()
    networks: list[IPv4Network | IPv6Network] = []
    for each in (one for interface in psutil.net_if_addrs().values() for one in interface):
        with suppress(ValueError):  # an Ethernet address, or a netmask of another form
            own.add(address := ip_address(each.address.partition("%")[0]))
            networks.append(ip_network(f"{address}/{each.netmask}", strict=False))
    return own, networks


class _Answer(BaseModel):
    servers: Annotated[list[FoundServer], Field(max_length=MOST)]


class ServerSearch:
    """Asks a child process. One search at a time: questions that come meanwhile get its answer. Use it from one event loop."""

    def __init__(self, command: Sequence[str] | None = None, seconds: float = SEARCH_S) -> None:
        self._command = command or own_command(CHILD)
        self._seconds = seconds
        self._running: asyncio.Task[tuple[FoundServer, ...]] | None = None

    async def servers(self) -> tuple[FoundServer, ...]:
        """Return what is announced now, after some seconds. Raises TeamSearchFailed."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._search())
        return await asyncio.shield(self._running)

    async def _search(self) -> tuple[FoundServer, ...]:
        try:
            child = await Child.start(self._command, desktop=False, most_parts=100 * MOST)
            try:
                answer = await child.request({"seconds": self._seconds}, timeout=_START_S + self._seconds)
            finally:
                await child.kill()
            found = _Answer.model_validate(answer).servers
        except (ChildExited, ChildTimeout, ValidationError) as error:
            raise TeamSearchFailed from error
        return tuple(found)
