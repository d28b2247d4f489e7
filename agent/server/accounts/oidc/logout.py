"""Sessions that the provider ends (OpenID Connect Back-Channel Logout 1.0): its request, and what comes of it."""

import asyncio
from typing import Final
from urllib.parse import parse_qs

import structlog

from agent.domain.errors import LogoutTokenInvalid
from agent.server.accounts.oidc.sign_in import ProviderSignIn
from agent.server.accounts.rate_limits import AddressLimit

log = structlog.get_logger()

_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 20


class ProviderLogout:
    """`refusals` counts refused requests alone: a school may be signed out at once, and no flood of made-up tokens holds up a good one."""

    def __init__(self, provider: ProviderSignIn, refusals: AddressLimit) -> None:
        self._provider = provider
        self._refusals = refusals

    async def end(self, token: str) -> None:
        """End the sessions that the token names. Raises ProviderOff, ProviderUnreachable, ProviderInvalid, LogoutTokenInvalid."""
        log.info("provider.logged_out", sessions=await self._provider.log_out(token))

    async def refused(self, address: str, code: str, claim: str) -> None:
        """Count and log a refused request. Raises TooManyAttempts in place of logging ever more of them."""
        await asyncio.to_thread(self._refusals.take, address)
        log.warning("provider.logout_refused", code=code, claim=claim)


def token_of(kind: str, body: bytes) -> str:
    """The logout token in a form. Raises LogoutTokenInvalid."""
    try:
        found = parse_qs(body.decode("ascii"), strict_parsing=True, max_num_fields=_MOST_FIELDS).get("logout_token", [])
    except ValueError as error:
        raise LogoutTokenInvalid(claim="form") from error
    if len(found) != 1 or kind.partition(";")[0].strip().lower() != _FORM:
        raise LogoutTokenInvalid(claim="form")
    return found[0]
