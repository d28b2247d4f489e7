"""Pins that change: the server announces them over the connection that is still trusted, see `docs/decisions/0107`."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from cryptography import x509

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.records import Link
from agent.domain.errors import TeamUnreachable
from agent.interfaces.web.desk_exchange import ServerOut
from agent.interfaces.web.tls_trust import SYSTEM, Trust, accepted, certificates_in

LOOK_S: Final = 60.0


async def follow_trust(link: Link, server: TeamConnection, store: Callable[[str, str], Awaitable[None]]) -> None:
    """Ask once what to trust, give it to `store` with its fingerprint if it is something else, and wait until it is time to ask again.

    Raises TeamUnreachable and what the server refuses with.
    """
    said = await server.server()
    try:
        now = Trust.parse(link.authority)
        wanted = await announced(link.address, now, said)
    except (OSError, ValueError) as error:
        raise TeamUnreachable from error
    if (set(wanted.certificates), wanted.system, said.fingerprint) != (set(now.certificates), now.system, link.fingerprint):
        await store(wanted.text(), said.fingerprint)
    await asyncio.sleep(LOOK_S)


async def announced(address: str, now: Trust, said: ServerOut) -> Trust:
    """Return what to trust from now on. Nothing is dropped that the server still needs. Raises OSError, ValueError."""
    shown = await _shown(address, now)
    if not shown:
        return now
    named = certificates_in(said.trusted)
    if named and not now.system:
        by_named = await _shown(address, Trust(named))
        if by_named[:1] != shown[:1]:  # they are for later
            named = certificates_in((*now.certificates, *named))
    return Trust(named or now.certificates, now.system or await _system_suffices(address, shown))


async def _system_suffices(address: str, shown: tuple[x509.Certificate, ...]) -> bool:
    """Return whether the system trusts the very certificate that the pin vouches for, and the pin may end with the next renewal.

    Of a public authority that is so: the key of an intermediate, which changes, was pinned. A private authority's own key lasts.
    """
    pinned = shown[-1]
    if pinned.issuer == pinned.subject:
        return False
    return (await _shown(address, SYSTEM))[:1] == shown[:1]


async def _shown(address: str, trust: Trust) -> tuple[x509.Certificate, ...]:
    with suppress(ssl.SSLCertVerificationError):
        return await accepted(address, trust)
    return ()
