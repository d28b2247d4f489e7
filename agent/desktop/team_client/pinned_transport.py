"""Requests to the team server over a connection that is verified by what was pinned. Imports httpx: only those who joined load it."""

import ssl

import httpx

from agent.domain.errors import AgentError, TeamAddressUnnamed, TeamCertificateChanged, TeamCertificateExpired, TeamUnreachable
from agent.interfaces.web.tls_trust import OTHER_ADDRESS, OUT_OF_DATE, Trust, fingerprint_of, pinned_of, renewed, shown


class PinnedTransport(httpx.AsyncBaseTransport):
    """Raises TeamAddressUnnamed, TeamCertificateChanged, TeamCertificateExpired, before anything is said to the server."""

    def __init__(self, address: str, trust: Trust) -> None:
        """Raises ValueError if a certificate of the trust is none."""
        self._address = address
        self._trust = trust
        self._context = trust.context()
        self._inner = httpx.AsyncHTTPTransport(verify=self._context, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it; once more if only the certificate of a pinned key is another one."""
        try:
            return await self._inner.handle_async_request(request)
        except httpx.ConnectError as error:
            if (refused := _refused(error)) is None:
                raise
            if not await self._renewed():
                raise await self._meaning(refused) from error
        try:
            return await self._inner.handle_async_request(request)
        except httpx.ConnectError as error:
            if (refused := _refused(error)) is None:
                raise
            raise await self._meaning(refused) from error

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _renewed(self) -> bool:
        """Take the certificate that has a pinned key now. Connections from now on are verified by it."""
        try:
            again = await renewed(self._address, self._trust)
        except OSError as error:
            raise TeamUnreachable from error
        if again is None:
            return False
        self._context.load_verify_locations(cadata=again.certificates[-1])
        self._trust = again
        return True

    async def _meaning(self, refused: ssl.SSLCertVerificationError) -> AgentError:
        """Return what it means that the certificate was refused."""
        if refused.verify_code in OTHER_ADDRESS:
            return TeamAddressUnnamed()
        if refused.verify_code in OUT_OF_DATE:
            return TeamCertificateExpired()
        try:
            came = fingerprint_of(pinned_of(await shown(self._address)))
        except (OSError, ValueError):
            return TeamUnreachable()
        if self._trust.system:
            return TeamCertificateChanged(came=came, system=1)
        return TeamCertificateChanged(came=came, expected=fingerprint_of(self._trust.certificates[0]))


def _refused(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error
        error = error.__cause__ or error.__context__
    return None
