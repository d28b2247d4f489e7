"""Asks an OpenID provider: over HTTPS, within limits of time and size, without redirects, and not inside the team's network by its word."""

import asyncio
import json
import re
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from agent.domain.errors import ProviderInvalid, ProviderRefused, ProviderUnreachable
from agent.infrastructure.core.outgoing_requests import Peer, outgoing
from agent.infrastructure.core.server_settings import OidcSettings
from agent.interfaces.web.client_address import Resolve, addresses_of, is_outside
from agent.interfaces.web.tls_failures import is_of_certificate

MOST_BYTES: Final = 262_144
MOST_ADDRESSES: Final = 4
_OF_CLIENT: Final = ("invalid_client", "unauthorized_client")
_ERROR: Final = re.compile(r"[a-z_]{1,60}")


class Fetching:
    """`resolve` returns the addresses of a host; it blocks."""

    def __init__(self, settings: OidcSettings, resolve: Resolve = addresses_of) -> None:
        self._settings = settings
        self._resolve = resolve
        self.ahead_s: float | None = None
        """how far this computer's clock was ahead of the provider's at the last answer that told the time"""

    async def get(self, url: str) -> dict[str, Any]:
        """Returns the JSON object at `url`. Raises ProviderUnreachable, ProviderInvalid."""
        return await self._answer("GET", url)

    async def post(self, url: str, form: Mapping[str, str], auth: tuple[str, str] | None) -> dict[str, Any]:
        """Sends a form, with `auth` (id and secret) in the header. Raises ProviderUnreachable, ProviderInvalid, ProviderRefused."""
        return await self._answer("POST", url, data=dict(form), auth=httpx.BasicAuth(*auth) if auth else None)

    async def _answer(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        with outgoing(Peer.PROVIDER, answers=(ProviderRefused,)):
            return await self._document(method, url, more)

    async def _document(self, method: str, url: str, more: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._settings.time_limit_s):
                status, body = await self._asked(method, url, more)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderUnreachable from error
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if method == "POST" and 400 <= status < 500 and isinstance(found, dict):
            told = error_of(found.get("error"))
            raise ProviderRefused(error=told, **({"client": 1} if told in _OF_CLIENT else {}))
        if status != 200 or not isinstance(found, dict):
            raise ProviderInvalid(what=urlsplit(url).path.rpartition("/")[2][:60] or "answer")
        return found

    async def _asked(self, method: str, url: str, more: Mapping[str, Any]) -> tuple[int, bytes]:
        """The status and the body. Connects to the addresses that were checked, whatever the name means a moment later."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        addresses = await asyncio.to_thread(self._checked, host, port)
        # Compressed answers could unpack to any size.
        headers = {"host": parts.netloc, "accept": "application/json", "accept-encoding": "identity"}
        trust = await asyncio.to_thread(self._trust)
        failed = ProviderUnreachable()
        async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=None) as client:
            for address in addresses:
                target = parts._replace(netloc=f"[{address}]:{port}" if ":" in address else f"{address}:{port}").geturl()
                asking = client.stream(method, target, headers=headers, extensions={"sni_hostname": host}, **more)
                try:
                    async with asking as answer:
                        self._note_time(answer.headers.get("date", ""))
                        return answer.status_code, await _body(answer)
                except httpx.ConnectError as error:
                    if is_of_certificate(error):
                        failed = ProviderUnreachable(certificate=1)
        raise failed

    def _note_time(self, date: str) -> None:
        with suppress(ValueError, TypeError, OverflowError):
            self.ahead_s = time.time() - parsedate_to_datetime(date).timestamp()

    def _checked(self, host: str, port: int) -> Sequence[str]:
        """The addresses to connect to: a provider on the internet has none inside the team's network. Raises OSError, ProviderInvalid."""
        found = self._resolve(host, port)
        issuer = urlsplit(self._settings.issuer)
        if host != issuer.hostname and not all(map(is_outside, found)):
            at_home = self._resolve(issuer.hostname or "", issuer.port or 443)
            if all(map(is_outside, at_home)):
                raise ProviderInvalid(what="address")
        return found[:MOST_ADDRESSES]

    def _trust(self) -> ssl.SSLContext:
        """Raises ProviderInvalid if the authority's file can't be read."""
        context = ssl.create_default_context()
        if self._settings.certificate:
            try:
                context.load_verify_locations(self._settings.certificate)
            except (OSError, ssl.SSLError) as error:
                raise ProviderInvalid(what="oidc.certificate") from error
        return context


async def _body(answer: httpx.Response) -> bytes:
    """Raises ProviderInvalid if there is no end to it."""
    body = bytearray()
    async for part in answer.aiter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise ProviderInvalid(what="size")
    return bytes(body)


def error_of(value: object) -> str:
    """An error code of OAuth; anything else could hold anything."""
    return value if isinstance(value, str) and _ERROR.fullmatch(value) else "unknown"
