"""Tells a web address of an incident: over HTTPS, signed, and not inside the team's own network unless that is allowed."""

import hmac
import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import httpx

from agent.domain.errors import WebhookFailed, WebhookInside

SIGNATURE: Final = "x-ai-popup-signature"
_LIMIT_S: Final = 15.0
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]


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


class Webhook:
    """`send` blocks."""

    def __init__(self, trust: ssl.SSLContext | None = None, resolve: Resolve = addresses_of) -> None:
        """`trust`: the certificates to accept, None for the system's."""
        self._trust = trust
        self._resolve = resolve

    def send(self, url: str, key: bytes, told: Mapping[str, object], now: float, *, inside: bool) -> None:
        """Connects to the address that was checked, whatever the name means a moment later; follows no redirect.

        Raises WebhookInside, WebhookFailed.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
            address = self._checked(host, port, inside=inside)
        except (OSError, ValueError) as error:
            raise WebhookFailed(status=0) from error
        body = json.dumps(told, separators=(",", ":")).encode()
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        headers = {"host": parts.netloc, "content-type": "application/json", SIGNATURE: signature(key, body, int(now))}
        try:
            with httpx.Client(verify=self._trust or ssl.create_default_context(), trust_env=False, timeout=_LIMIT_S) as client:
                target = parts._replace(netloc=netloc, fragment="").geturl()
                with client.stream("POST", target, content=body, headers=headers, extensions={"sni_hostname": host}) as answer:
                    if not answer.is_success:
                        raise WebhookFailed(status=answer.status_code)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise WebhookFailed(status=0) from error

    def _checked(self, host: str, port: int, *, inside: bool) -> str:
        """The first address. Raises WebhookInside if one of them is inside, OSError."""
        found = self._resolve(host, port)
        if not found:
            raise OSError
        if not inside and not all(map(is_outside, found)):
            raise WebhookInside
        return found[0]


def signature(key: bytes, body: bytes, at: int) -> str:
    """The time is signed, too, so that a receiver can refuse what was recorded earlier."""
    return f"t={at},v1={hmac.digest(key, b'%d.' % at + body, 'sha256').hex()}"


_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
