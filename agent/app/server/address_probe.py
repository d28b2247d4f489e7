"""Asks a server at the address that people use: by its balancer or reverse proxy, if there is one."""

import ssl
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from agent.domain.errors import AddressFailed
from agent.interfaces.web.tls_failures import is_of_certificate

_LIMIT_S: Final = 10.0
_PROXY_FAILS: Final = (502, 503, 504)


def trust_of(files: Sequence[Path]) -> ssl.SSLContext:
    """Trust the system's authorities, and the certificates in `files`, such as the server's own authority."""
    trust = ssl.create_default_context()
    trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # of a given certificate, whoever issued it
    for file in files:
        with suppress(OSError, ssl.SSLError):
            trust.load_verify_locations(file)
    return trust


class AddressProbe:
    """`ask` blocks."""

    def __init__(self, trust: Callable[[Sequence[Path]], ssl.SSLContext] = trust_of) -> None:
        self._trust = trust

    def ask(self, address: str, trusted: Sequence[Path]) -> datetime:
        """Return until when the certificate that is shown there is valid. Raises AddressFailed."""
        try:
            client = httpx.Client(verify=self._trust(trusted), trust_env=False, timeout=_LIMIT_S)
            with client, client.stream("GET", f"{address}/api/server") as answer:
                connection = answer.extensions["network_stream"].get_extra_info("ssl_object")
                until = ssl.cert_time_to_seconds(str(connection.getpeercert()["notAfter"]))
                _check(answer)
        except httpx.TimeoutException as error:
            raise AddressFailed(slow=1) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise AddressFailed(**({"certificate": 1} if is_of_certificate(error) else {})) from error
        return datetime.fromtimestamp(until, UTC)


def _check(answer: httpx.Response) -> None:
    """Raises AddressFailed unless a team server answered."""
    if answer.status_code in _PROXY_FAILS:
        raise AddressFailed(proxy=answer.status_code)
    found = None
    if answer.status_code == httpx.codes.OK and answer.headers.get("content-type", "").startswith("application/json"):
        with suppress(ValueError):
            answer.read()
            found = answer.json()
    if not (isinstance(found, dict) and {"name", "version", "fingerprint"} <= found.keys()):
        raise AddressFailed(other=answer.status_code)
