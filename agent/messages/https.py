"""Requests to addresses from the settings: over HTTPS, and not inside the team's own network unless that is allowed."""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpx

_LIMIT_S: Final = 15.0
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]


class Inside(Exception):
    """The address is on this computer or in an internal network."""


class NotReached(Exception):
    """There was no answer."""


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
    return found.is_global and not found.is_multicast


class Https:
    """`send` blocks."""

    def __init__(self, trust: ssl.SSLContext | None = None, resolve: Resolve = addresses_of) -> None:
        """`trust`: the certificates to accept, None for the system's."""
        self._trust = trust
        self._resolve = resolve

    def send(self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], *, inside: bool) -> int:
        """Return the status of the answer.

        Connects to the address that was checked, whatever the name means a moment later; follows no redirect. Raises Inside, NotReached.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
            address = self._checked(host, port, inside=inside)
        except (OSError, ValueError) as error:
            raise NotReached from error
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        sent = {"host": parts.netloc.rpartition("@")[2], **headers}
        try:
            with httpx.Client(verify=self._trust or ssl.create_default_context(), trust_env=False, timeout=_LIMIT_S) as client:
                target = parts._replace(netloc=netloc, fragment="").geturl()
                with client.stream(method, target, content=content, headers=sent, extensions={"sni_hostname": host}) as answer:
                    return answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NotReached from error

    def _checked(self, host: str, port: int, *, inside: bool) -> str:
        """The first address. Raises Inside if one of them is inside, OSError."""
        found = self._resolve(host, port)
        if not found:
            raise OSError
        if not inside and not all(map(is_outside, found)):
            raise Inside
        return found[0]


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
