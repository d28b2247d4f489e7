"""One OpenID provider: its addresses and keys, kept for a while, and what it states about a user."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]  # it carries no types

from agent.domain.errors import IdTokenInvalid, LogoutTokenInvalid, ProviderInvalid, ProviderUnreachable
from agent.infrastructure.core.server_settings import OidcSettings
from agent.server.accounts.oidc import id_tokens, logout_tokens
from agent.server.accounts.oidc.auth_request import Request
from agent.server.accounts.oidc.http_client import Fetching

KEPT_S: Final = 3_600.0
SEEN_S: Final = 60.0
"""a browser is sent only to a provider that answered so recently: it would show a page of its own about one that is away"""
RETRY_S: Final = 5.0
"""between two attempts to reach a provider that is away, and two readings of its keys: visitors can't make us ask more often"""


@dataclass(frozen=True, slots=True)
class Metadata:
    """The part of the discovery document that is used."""

    authorize: str
    token: str
    keys: str
    end_session: str | None
    basic: bool
    """the client's secret goes into the header"""
    says_issuer: bool
    """its answers carry `iss` (RFC 9207)"""
    pkce: bool | None
    """None if the document doesn't say"""
    says_logout: bool
    """it can tell of sessions that ended (Back-Channel Logout)"""


class Provider:
    """`secret` returns the client's secret, None for a public client; it blocks."""

    def __init__(
        self,
        settings: OidcSettings,
        secret: Callable[[], str | None],
        fetching: Fetching,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self._secret = secret
        self._fetching = fetching
        self._clock = clock
        self._monotonic = monotonic
        self._reading = asyncio.Lock()
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, tuple[id_tokens.Key, ...]] | None = None
        self._failed: tuple[float, ProviderUnreachable | ProviderInvalid] | None = None
        self._reading_keys = asyncio.Lock()
        self._keys_failed: tuple[float, ProviderUnreachable | ProviderInvalid] | None = None

    @property
    def clock_ahead_s(self) -> float | None:
        """How far this computer's clock is ahead of the provider's, in seconds; None if it has not told the time."""
        return self._fetching.ahead_s

    async def address(self, request: Request, prompt: str = "") -> str:
        """Where the browser goes to sign in. Raises ProviderUnreachable, ProviderInvalid."""
        found = await self.metadata(SEEN_S)
        wanted = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": request.redirect,
            "scope": " ".join(("openid", *self.settings.scopes)),
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": create_s256_code_challenge(request.verifier),
            "code_challenge_method": "S256",
        }
        return with_query(found.authorize, wanted | ({"prompt": prompt} if prompt else {}))

    async def claims(self, request: Request, code: str, issuer: str) -> Mapping[str, Any]:
        """What the provider states about the user who came back with `code` and `iss`, checked.

        Raises ProviderUnreachable, ProviderInvalid, ProviderRefused, IdTokenInvalid.
        """
        found = await self.metadata()
        if issuer != self.settings.issuer and (issuer or found.says_issuer):
            raise IdTokenInvalid(claim="iss")  # the answer of another provider
        answer = await self.exchanged(code, request)
        token, access = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str):
            raise ProviderInvalid(what="id_token")
        keys = await self._keys_for(id_tokens.kid_of(token))
        wanted = id_tokens.WantedClaims(
            self.settings.issuer,
            self.settings.client_id,
            request.nonce,
            self._clock(),
            self.settings.clock_skew_s,
            access if isinstance(access, str) else None,
        )
        return await asyncio.to_thread(id_tokens.checked, token, keys, wanted)

    async def ended(self, token: str) -> logout_tokens.Logout:
        """What the provider says has ended, checked. Raises ProviderUnreachable, ProviderInvalid, LogoutTokenInvalid."""
        try:
            keys = await self._keys_for(id_tokens.kid_of(token))
        except IdTokenInvalid as error:
            raise LogoutTokenInvalid(**error.params) from error
        settings = self.settings
        wanted = (settings.issuer, settings.client_id, self._clock(), settings.clock_skew_s)
        return await asyncio.to_thread(logout_tokens.checked, token, keys, *wanted)

    async def exchanged(self, code: str, request: Request) -> Mapping[str, Any]:
        """The answer to a code. Raises ProviderUnreachable, ProviderInvalid, ProviderRefused."""
        found = await self.metadata()
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": request.redirect, "code_verifier": request.verifier}
        secret = await asyncio.to_thread(self._secret)
        if secret and found.basic:
            # RFC 6749, 2.3.1: both are form-encoded first.
            auth = urlencode({"": self.settings.client_id})[1:], urlencode({"": secret})[1:]
            return await self._fetching.post(found.token, form, auth)
        form["client_id"] = self.settings.client_id
        if secret:
            form["client_secret"] = secret
        return await self._fetching.post(found.token, form, None)

    async def sign_out(self, back: str) -> str | None:
        """Where the browser ends the provider's own session; None if the provider has no such address, or is away."""
        try:
            found = (await self.metadata()).end_session
        except (ProviderUnreachable, ProviderInvalid):
            return None
        wanted = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return with_query(found, wanted) if found else None

    async def metadata(self, kept_s: float = KEPT_S) -> Metadata:
        """Raises ProviderUnreachable, ProviderInvalid."""
        async with self._reading:
            now = self._monotonic()
            if self._metadata is not None and now - self._metadata[0] < kept_s:
                return self._metadata[1]
            if self._failed is not None and now - self._failed[0] < RETRY_S:
                raise type(self._failed[1])(**self._failed[1].params)
            try:
                found = _metadata(await self._fetching.get(discovery_address(self.settings.issuer)), self.settings.issuer)
            except (ProviderUnreachable, ProviderInvalid) as error:
                self._failed = now, error
                raise
            self._failed, self._metadata = None, (now, found)
            return found

    async def keys(self) -> tuple[id_tokens.Key, ...]:
        """Reads the provider's keys. Raises ProviderUnreachable, ProviderInvalid."""
        found = id_tokens.keys_of(await self._fetching.get((await self.metadata()).keys))
        if not found:
            raise ProviderInvalid(what="jwks")
        self._keys = self._monotonic(), found
        return found

    async def _keys_for(self, kid: str | None) -> tuple[id_tokens.Key, ...]:
        """The keys, read again if the one of this token is not among them: providers change theirs now and then.

        Anyone may send a token, so there is one reading at a time, and none soon after one that failed.
        """
        if (known := self._kept_keys(kid)) is not None:
            return known
        async with self._reading_keys:
            if (known := self._kept_keys(kid)) is not None:
                return known
            now = self._monotonic()
            if self._keys_failed is not None and now - self._keys_failed[0] < RETRY_S:
                raise type(self._keys_failed[1])(**self._keys_failed[1].params)
            try:
                return await self.keys()
            except (ProviderUnreachable, ProviderInvalid) as error:
                self._keys_failed = self._monotonic(), error
                raise

    def _kept_keys(self, kid: str | None) -> tuple[id_tokens.Key, ...] | None:
        """None if they are to be read."""
        if self._keys is None:
            return None
        age, known = self._monotonic() - self._keys[0], self._keys[1]
        fits = kid is None or any(each.kid == kid for each in known)
        return known if age < (KEPT_S if fits else RETRY_S) else None


def discovery_address(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def with_query(address: str, values: Mapping[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode(values)}"


def _metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Raises ProviderInvalid."""
    if document.get("issuer") != issuer:
        raise ProviderInvalid(what="issuer")
    authorize, token, keys = (_https(document.get(name), name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"))
    end = document.get("end_session_endpoint")
    ways, challenges = document.get("token_endpoint_auth_methods_supported"), document.get("code_challenge_methods_supported")
    return Metadata(
        authorize,
        token,
        keys,
        _https(end, "end_session_endpoint") if end else None,
        basic=not isinstance(ways, list) or "client_secret_basic" in ways,
        says_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        pkce="S256" in challenges if isinstance(challenges, list) else None,
        says_logout=document.get("backchannel_logout_supported") is True,
    )


def _https(value: object, what: str) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) and len(value) <= 2_000 else None
        fits = parts is not None and parts.scheme == "https" and bool(parts.hostname) and not parts.username and not parts.fragment
    except ValueError:
        fits = False
    if not fits:
        raise ProviderInvalid(what=what)
    return str(value)
