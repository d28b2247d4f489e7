"""Lets a server's members in: by session, by API token, and commands on this machine by the local token."""

import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Final

from starlette.requests import Request

from agent.domain.errors import ApiError, SignInRequired
from agent.infrastructure.core.i18n import preferred_language
from agent.interfaces.web.access import LOCAL, Principal
from agent.interfaces.web.client_address import network_of
from agent.interfaces.web.guard import AuthenticatedRequest, Session
from agent.interfaces.web.local_auth import SCHEME
from agent.server.accounts.service import Accounts
from agent.server.accounts.sessions import MemberSession
from agent.server.accounts.tokens import TokenInUse

BEARER: Final = "Bearer "
_LOOPBACK: Final = frozenset({"127.0.0.1", network_of("::1")})
_BY_LOCAL_TOKEN: Final = AuthenticatedRequest(LOCAL)


def team_cookie_name(port: int | None) -> str:
    """Browsers take this prefix only from HTTPS, for the whole host and for no other; the port tells several servers of one host apart."""
    return f"__Host-ai_popup_{port or 443}"


class MemberAuth:
    """Implements `agent.interfaces.web.guard.Access`. `origins` returns the server's addresses, such as `https://photos.example:8443`.

    `placed` limits a member to the libraries they have a role in, and to the one of them that the request names with `library`, if any.
    """

    on_server = True
    headers: Mapping[bytes, bytes] = {b"strict-transport-security": b"max-age=31536000"}

    def __init__(
        self,
        accounts: Accounts,
        local_token: str,
        origins: Callable[[], Collection[str]],
        placed: Callable[[Principal, str | None], Principal] = lambda everywhere, _: everywhere,
    ) -> None:
        self._accounts = accounts
        self._local_token = local_token
        self._origins = origins
        self._placed = placed
        self.usage = accounts.usage_audit

    def origins(self) -> Collection[str]:
        return self._origins()

    async def by_header(self, request: Request) -> AuthenticatedRequest | None:
        header = request.headers.get("authorization") or ""
        if header.startswith(SCHEME):
            session = await self._accounts.sessions.by_key(header.removeprefix(SCHEME))
            return self._of_session(session, request)
        if not header.startswith(BEARER):
            return None
        if secrets.compare_digest(header.encode(), f"{BEARER}{self._local_token}".encode()):
            return _BY_LOCAL_TOKEN if _is_here(request) else None
        token = await self._accounts.tokens.by_secret(header.removeprefix(BEARER))
        if token is None:
            return None
        self.usage.used(f"token {token.record.id}", token.member_id, _address(request))
        return AuthenticatedRequest(self._placed(token.principal, _chosen(request)), token)

    async def by_ticket(self, request: Request) -> AuthenticatedRequest | None:
        ticket, cookie = request.query_params.get("ticket"), request.cookies.get(team_cookie_name(request.url.port))
        session = await self._accounts.sessions.by_ticket(ticket, cookie) if ticket and cookie else None
        return self._of_session(session, request)

    def _of_session(self, session: MemberSession | None, request: Request) -> AuthenticatedRequest | None:
        if session is None:
            return None
        known = session.record
        self.usage.used(f"session {known.id}", session.member_id, _address(request), opened_from=known.address, opened_at=known.opened_at)
        return AuthenticatedRequest(self._placed(session.principal, _chosen(request)), session)

    def stays(self, session: Session) -> bool:
        if isinstance(session, TokenInUse):
            return self._accounts.tokens.stays(session)
        return isinstance(session, MemberSession) and self._accounts.sessions.stays(session)

    def refusal(self) -> ApiError:
        return SignInRequired()

    def language(self, request: Request) -> str | None:
        return preferred_language(request.headers.get("accept-language", ""))


def _chosen(request: Request) -> str | None:
    """The library that the request is limited to."""
    return request.query_params.get("library")


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _is_here(request: Request) -> bool:
    """Whether the request comes from this machine: elsewhere the local token is worth nothing."""
    return request.client is not None and network_of(request.client.host) in _LOOPBACK
