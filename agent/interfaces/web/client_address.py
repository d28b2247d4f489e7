"""Addresses on the network: what counts as one visitor, and which are outside the team's own network."""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""the addresses of a host, for a port"""
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# By the registries they are public or unknown, but they lead into one's own network: addresses of IPv4 in the old notation, a network's
# own translation to IPv4 (RFC 8215), addresses of a site, and Azure's agent beside each machine.
_INSIDE: Final = tuple(map(ipaddress.ip_network, ("::/96", "64:ff9b:1::/48", "fec0::/10", "168.63.129.16/32")))


def network_of(address: str) -> str:
    """The address by which a visitor is counted: of IPv6 a customer has at least a /64. Empty if it is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)


def crowd_of(network: str) -> str:
    """The wider network that a visitor's network is part of: who has one address of it often has more. Empty if it is none."""
    try:
        found = ipaddress.ip_network(network)
    except ValueError:
        return ""
    return str(found.supernet(new_prefix=24 if found.version == 4 else 48))


class Inside(Exception):
    """An address is on this computer or in an internal network."""


def addresses_of(host: str, port: int) -> list[str]:
    """Blocks. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_outside(address: str) -> bool:
    """Whether it is on the public internet: not this computer, the team's network, or a cloud's metadata."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        # Addresses that carry one of IPv4 lead there.
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if inner or found in _NAT64:
            return is_outside(str(inner or ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)))
    return found.is_global and not found.is_multicast and not any(found in each for each in _INSIDE)


def allowed_addresses(host: str, port: int, resolve: Resolve, *, inside: bool) -> Sequence[str]:
    """Return the addresses of a host to which the program may connect for an administrator; `inside`: also in the team's own network.

    Blocks. Raises Inside if one of them may not be, OSError if there is none.
    """
    found = resolve(host, port)
    if not found:
        raise OSError
    if not inside and not all(map(is_outside, found)):
        raise Inside
    return found
