"""Routes of signing in by an OpenID provider: the button, the way back, invitations, a member's own link, and the end of sessions."""

from typing import Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from agent.domain.errors import AccountError, AgentError, BadRequest, SecondFactorRequired, TooManyAttempts
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.request_counts import note_code
from agent.interfaces.web.schemas import SignedIn
from agent.server.accounts.callers import MANAGE, SELF, From, HexId, MemberId, OwnSession, Secret, signed_in
from agent.server.accounts.challenges import CeremonyKind
from agent.server.accounts.oidc.auth_request import LOGOUT, REDIRECT
from agent.server.accounts.oidc.http_client import error_of
from agent.server.accounts.oidc.logout import ProviderLogout, token_of
from agent.server.accounts.oidc.schemas import (
    ProviderBack,
    ProviderBegun,
    ProviderEntered,
    ProviderInvited,
    ProviderLinkOut,
    ProviderLinks,
    ProviderOut,
    ProviderSecond,
    SecondFactorWanted,
    SignedOut,
)
from agent.server.accounts.oidc.sign_in import ProviderSignIn
from agent.server.accounts.oidc.sign_in_session import ProviderEntry, SecondFactorNeeded
from agent.server.accounts.passkey_routes import Here, site_of
from agent.server.accounts.records import PROVIDER
from agent.server.accounts.schemas import Confirmation
from agent.server.accounts.service import Accounts, SignInProof

_OPEN = needs(Scope.OPEN)
_TOKEN_SCHEMA: Final = {"type": "object", "required": ["logout_token"], "properties": {"logout_token": {"type": "string"}}}
_TOKEN_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": _TOKEN_SCHEMA}}}
}
_TOKEN_REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    400: {"description": "The token was refused, or the sessions could not be ended."}
}
_UNCACHED: Final = {"cache-control": "no-store"}


def provider_routes(api: FastAPI, accounts: Accounts, provider: ProviderSignIn) -> None:
    """Add all of them to `api`."""
    _entry_routes(api, provider, ProviderEntry(accounts, provider))
    _own_routes(api, accounts, provider)
    _logout_routes(api, ProviderLogout(provider, accounts.refused_logouts))

    @api.delete("/api/members/{member_id}/provider", status_code=204, openapi_extra=MANAGE)
    async def unlink(member_id: HexId) -> None:
        """Unlink a member's account at the provider, and end the sessions opened by it; not the last way to sign in."""
        await provider.remove(member_id)


def _entry_routes(api: FastAPI, provider: ProviderSignIn, entry: ProviderEntry) -> None:
    @api.get(REDIRECT, status_code=303, response_class=RedirectResponse, openapi_extra=_OPEN)
    async def back(code: str = "", state: str = "", error: str = "", iss: str = "") -> RedirectResponse:
        """Hand what the provider answers to the page, in a fragment: only the page that began can use it."""
        given = {"code": code[:4_000], "state": state[:100], "error": error_of(error) if error else "", "iss": iss[:1_000]}
        return RedirectResponse(f"/#provider/{urlencode({name: value for name, value in given.items() if value})}", 303)

    @api.get("/api/account/provider", openapi_extra=_OPEN)
    async def known() -> ProviderOut:
        """Whether there is one, and what its button says."""
        settings = provider.settings
        return ProviderOut(name=settings.shown_name if settings else None)

    @api.post("/api/account/provider/begin", openapi_extra=_OPEN)
    async def begin(site: Here, caller: From) -> ProviderBegun:
        """Begin to sign in. The state works once, for five minutes."""
        return ProviderBegun.from_record(await provider.begin(CeremonyKind.PROVIDER_SIGN_IN, site.origin, caller.address))

    @api.post("/api/account/provider/sign-in", openapi_extra=_OPEN)
    async def sign_in(wanted: ProviderBack, request: Request, response: Response, site: Here, caller: From) -> ProviderEntered:
        """Sign in by what the provider answered."""
        found = await entry.sign_in(wanted.back(), site.origin, caller)
        if isinstance(found, SecondFactorNeeded):
            member, second = found.member, found.second
            note_code(request.scope, SecondFactorRequired.code)  # counted as it is after a password
            factors = {"code": member.second_factor, "passkey": member.passkeys > 0}
            return ProviderEntered(second_factor=SecondFactorWanted.from_record(second, **factors))
        return ProviderEntered(signed_in=signed_in(found, request, response))

    @api.post("/api/account/provider/second-factor", openapi_extra=_OPEN)
    async def second(wanted: ProviderSecond, request: Request, response: Response, caller: From) -> SignedIn:
        """Show the second factor after the provider."""
        opened = await entry.second(wanted.second(), wanted.code, caller, _proof(wanted.passkey, request))
        return signed_in(opened, request, response)

    @api.post("/api/invitations/{token}/provider-begin", openapi_extra=_OPEN)
    async def begin_invited(token: Secret, wanted: ProviderInvited, request: Request, site: Here, caller: From) -> ProviderBegun:
        """Begin to link an account at the provider in place of a password."""
        proof = _proof(wanted.passkey, request)
        return ProviderBegun.from_record(await entry.begin_invited(token, wanted.code, site.origin, caller, proof))

    @api.post("/api/invitations/{token}/provider", openapi_extra=_OPEN)
    async def accept(token: Secret, wanted: ProviderBack, request: Request, response: Response, site: Here, caller: From) -> SignedIn:
        """Accept the invitation: the account at the provider signs in as this member from now on."""
        return signed_in(await entry.accept(token, wanted.back(), site.origin, caller), request, response)


def _own_routes(api: FastAPI, accounts: Accounts, provider: ProviderSignIn) -> None:
    @api.get("/api/account/provider/links", openapi_extra=SELF)
    async def links(member: MemberId) -> ProviderLinks:
        settings, known = provider.settings, await accounts.members.get(member)
        issuer = settings.issuer if settings else None
        items = tuple(ProviderLinkOut.of(each, current=each.issuer == issuer) for each in await provider.of(member))
        return ProviderLinks(items=items, name=settings.shown_name if settings else None, password=known.password_hash is not None)

    @api.post("/api/account/provider/links/begin", openapi_extra=SELF)
    async def begin_link(wanted: Confirmation, who: MemberId, session: OwnSession, site: Here, caller: From) -> ProviderBegun:
        """Begin to link one's account at the provider."""
        await accounts.prove(who, wanted.password, session, caller)
        return ProviderBegun.from_record(await provider.begin(CeremonyKind.PROVIDER_LINK, site.origin, caller.address, who))

    @api.post("/api/account/provider/links", status_code=204, openapi_extra=SELF)
    async def link(wanted: ProviderBack, member: MemberId, site: Here) -> None:
        found, _ = await provider.finish(CeremonyKind.PROVIDER_LINK, wanted.back(), site.origin, member)
        await provider.add(member, found)

    @api.delete("/api/account/provider/links", status_code=204, openapi_extra=SELF)
    async def unlink(issuer: str, wanted: Confirmation, member: MemberId, session: OwnSession, caller: From) -> None:
        """Unlink one's account, and end other sessions opened by it; not the last way to sign in."""
        await accounts.prove(member, wanted.password, session, caller)
        await provider.remove(member, issuer=issuer, but=session.record.id)

    @api.post("/api/account/provider/sign-out", openapi_extra=SELF)
    async def sign_out(member: MemberId, session: OwnSession, site: Here) -> SignedOut:
        """End this session, and say where the browser ends the provider's own, if that opened it."""
        address = await provider.sign_out(site.origin) if session.record.means == PROVIDER else None
        await accounts.sessions.end(member, number=session.record.id)
        return SignedOut(address=address)


def _proof(passkey: dict[str, object] | None, request: Request) -> SignInProof | None:
    return SignInProof(passkey, site_of(request)) if passkey else None


def _logout_routes(api: FastAPI, logout: ProviderLogout) -> None:
    """Add the route by which the provider says that a session ended. It has the answers of its specification, not ours."""

    @api.post(LOGOUT, response_class=Response, responses=_TOKEN_REFUSED, openapi_extra=_TOKEN_BODY | needs(Scope.OPEN))
    async def log_out(request: Request, caller: From) -> Response:
        """End the sessions that the provider's logout token names (OpenID Connect Back-Channel Logout 1.0)."""
        try:
            await logout.end(token_of(request.headers.get("content-type", ""), await request.body()))
        except TooManyAttempts:
            raise
        except (AccountError, BadRequest) as error:
            await logout.refused(caller.address, error.code, _claim(error))
            note_code(request.scope, error.code)
            # Which check failed is no secret, and helps those who set it up.
            told = {"error": "invalid_request", "error_description": f"{error.code} {_claim(error)}".strip()}
            return JSONResponse(told, 400, _UNCACHED)
        return Response(headers=_UNCACHED)


def _claim(error: AgentError) -> str:
    return str(error.params.get("claim", ""))
