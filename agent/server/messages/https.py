"""Requests to addresses from the settings: over HTTPS, and not inside the team's own network unless that is allowed."""

import socket
import ssl
from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

import httpx

from agent.interfaces.web.client_address import Resolve, addresses_of, allowed_addresses
from agent.interfaces.web.tls_failures import is_of_certificate

_LIMIT_S: Final = 15.0


class NotReached(Exception):
    """There was no answer: no connection was made, the `certificate` is not to be trusted, or it took too long (`slow`)."""

    def __init__(self, why: Literal["connect", "certificate", "slow"] = "connect") -> None:
        super().__init__(why)
        self.why = why


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
        host, port, address = self._place(url, inside=inside)
        parts = urlsplit(url)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        sent = {"host": parts.netloc.rpartition("@")[2], **headers}
        try:
            with httpx.Client(verify=self._trust or ssl.create_default_context(), trust_env=False, timeout=_LIMIT_S) as client:
                target = parts._replace(netloc=netloc, fragment="").geturl()
                with client.stream(method, target, content=content, headers=sent, extensions={"sni_hostname": host}) as answer:
                    return answer.status_code
        except httpx.TimeoutException as error:
            raise NotReached("slow") from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NotReached("certificate" if is_of_certificate(error) else "connect") from error

    def connect(self, url: str, *, inside: bool) -> None:
        """Make the encrypted connection and end it: without a request the receiver does nothing. Raises Inside, NotReached."""
        host, port, address = self._place(url, inside=inside)
        trust = self._trust or ssl.create_default_context()
        try:
            with socket.create_connection((address, port), _LIMIT_S) as plain, trust.wrap_socket(plain, server_hostname=host):
                pass
        except TimeoutError as error:
            raise NotReached("slow") from error
        except OSError as error:
            raise NotReached("certificate" if is_of_certificate(error) else "connect") from error

    def _place(self, url: str, *, inside: bool) -> tuple[str, int, str]:
        """The host, the port, and the address that was checked. Raises Inside, NotReached."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 443
            return host, port, allowed_addresses(host, port, self._resolve, inside=inside)[0]
        except (OSError, ValueError) as error:
            raise NotReached from error


def failed_by(status: int) -> dict[str, int]:
    """Return the parameter of an error about an answer: `moved` for a redirect, or `status`."""
    return {"moved" if 300 <= status < 400 else "status": status}
