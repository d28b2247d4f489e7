"""What desktops see at the server's address, and what it tells them to trust, see `docs/decisions/0106`.

Behind a proxy that ends TLS that is the proxy's certificate. The settings name it, or the server looks at its public address. Someone
between the two could show another one there, so what was only seen is told to those who join, who see it themselves and compare it;
to desktops that joined, the server tells only what its own files say.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
from cryptography import x509

from agent.domain.errors import SettingsInvalid
from agent.infrastructure.core.server_settings import ServerSettings
from agent.interfaces.web.certificates import Certificates
from agent.interfaces.web.tls_trust import SYSTEM, ServerTrust, certificates_in, fingerprint_of, leads_to, pem_of, pinned_of, shown

log = structlog.get_logger()

_PAUSE_S: Final = 10.0
_PAUSES: Final = 6
"""between two looks at the public address"""
_LONGEST_S: Final = 3.0


class PublicTrust:
    """Follows the public address and the file of the settings. `look` and `run` need the event loop."""

    def __init__(self, certificates: Certificates, settings: Callable[[], ServerSettings]) -> None:
        self._certificates = certificates
        self._settings = settings
        self._named: tuple[str, ...] = ()
        self._shown: tuple[x509.Certificate, ...] = ()
        self._failed = False

    def begin(self) -> None:
        """Read the file of the settings. Blocks. Raises SettingsInvalid."""
        try:
            self._named = self._read()
        except (OSError, ValueError) as error:
            raise SettingsInvalid(key="server.public_certificate", reason="pem") from error

    def at(self, host: str) -> ServerTrust:
        """Return what to tell those who reach the server as `host`, with its port if that isn't 443."""
        address = self._settings().address
        own = self._certificates
        if address and host.lower().removesuffix(":443") != address.removeprefix("https://"):
            return ServerTrust(own.fingerprint, own.authority, (own.authority,))
        return self._public(own)

    @property
    def fingerprint(self) -> str:
        """Return the one that people compare at the address that they use."""
        return self._public(self._certificates).fingerprint

    async def look(self) -> None:
        """Read the file again, and see what is shown at the public address."""
        await self._try(self._read_again)
        await self._try(self._see)

    async def run(self) -> None:
        """Until cancelled; often, until the address was reached: a proxy may start after the server."""
        while True:
            await self._try(self._see)
            pauses = 1 if self._failed and not self._shown else _PAUSES
            for _ in range(pauses):
                await asyncio.sleep(_PAUSE_S)
                await self._try(self._read_again)

    async def _read_again(self) -> None:
        self._named = await asyncio.to_thread(self._read)

    async def _see(self) -> None:
        if address := self._settings().address:
            self._shown = await _seen(address)
        self._failed = False

    async def _try(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except (OSError, ValueError) as error:
            if not self._failed:
                log.warning("server.public_certificate_unknown", kind=type(error).__name__)
            self._failed = True

    def _public(self, own: Certificates) -> ServerTrust:
        chain = self._shown or _read_pems([own.authority])
        if self._named:
            named = _read_pems(self._named)
            now = next((each for each in named if leads_to(chain, each)), named[0])
            return ServerTrust(fingerprint_of(now), pem_of(now), self._named)
        [authority] = _read_pems([own.authority])
        if leads_to(chain, authority):  # nothing ends TLS on the way
            return ServerTrust(own.fingerprint, own.authority, (own.authority,))
        seen = pinned_of(chain)
        return ServerTrust(fingerprint_of(seen), pem_of(seen), ())

    def _read(self) -> tuple[str, ...]:
        """Raises OSError, ValueError."""
        file = self._settings().public_certificate
        if not file:
            return ()
        found = certificates_in([Path(file).expanduser().read_text(encoding="ascii")])
        if not found:
            raise ValueError("no certificate")
        return found


async def _seen(address: str) -> tuple[x509.Certificate, ...]:
    """Return the chain at an address, with the authority at its end if the system trusts it. Raises OSError, ValueError."""
    async with asyncio.timeout(_LONGEST_S):
        chain = await shown(address)
        try:
            return await shown(address, SYSTEM)
        except OSError:
            return chain


def _read_pems(pems: Sequence[str]) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificate(each.encode()) for each in pems)
