"""Checks every request before its route: host, origin, and token or session; and adds the headers that restrict the browser."""

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.domain.errors import AgentError, ApiError, ForeignOrigin, Unauthorised, Unexpected
from agent.infrastructure.core.actor import HERE, acting_as
from agent.infrastructure.core.i18n import Texts, browser_language, on_server
from agent.interfaces.web.access import LOCAL, PRINCIPAL, USAGE, Principal, Usage
from agent.interfaces.web.error_responses import again_after, status_of
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.request_counts import note_code
from agent.interfaces.web.schemas import Problem
from agent.interfaces.web.session_routes import cookie_name

log = structlog.get_logger()

# All routes that ask for no principal: the program's own files, the same for all users; `/health`, which only reports that an agent is
# running; those that open a session, by a one-time code, a password, a provider or an invitation; a provider's word that a session ended;
# people's own data, by their links; and a desktop's request to join a server.
OPEN = re.compile(
    r"/(health|popup|picker|assets/.+|api/session|api/help/pictures/.+|api/server|api/account/sign-in|api/invitations/[^/]+"
    r"|api/account/passkey-(challenge|sign-in)|api/invitations/[^/]+/passkey-challenge"
    r"|provider|api/account/provider(/begin|/sign-in|/second-factor|/backchannel-logout)?|api/invitations/[^/]+/provider(-begin)?"
    r"|api/join|api/join/answer|api/consent-links/[^/]+(/export|/page|/[^/]+/withdraw)?)?"
)
# Requests that a browser makes for an element of the page: they can't carry our header.
BY_TICKET = re.compile(
    r"/api/(events|support-bundle|images/\d+/(preview|thumbnail|original)|captures/frames/[^/]+|captures/[^/]+/picture"
    r"|people/\d+/export|redaction-items/\d+/(copy|preview)|redactions/[^/]+/copies\.zip)"
)
# The browser's statement of a request's source: one of our pages, or the user.
_OUR_SITES = ("same-origin", "none")
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    # A page that opened ours, or that ours opened, gets no hold of its window.
    b"cross-origin-opener-policy": b"same-origin",
    # What no page of ours asks for; passkeys, the clipboard and full screen are left to our own pages, as they are by default.
    b"permissions-policy": (
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), "
        b"payment=(), usb=()"
    ),
}


class Session(Protocol):
    """A page that is signed in, on the desktop or on a server. `over` is set when the session ends."""

    @property
    def over(self) -> asyncio.Event: ...


class Access(Protocol):
    """Who may ask: the desktop agent's user, or a server's members. `LocalAccess`, `agent.server.accounts.member_auth.MemberAuth`."""

    on_server: bool
    """whether those who ask sit elsewhere than the program runs"""
    headers: Mapping[bytes, bytes]
    """added to each answer"""

    @property
    def usage(self) -> Usage | None:
        """What watches over members' requests."""
        ...

    def origins(self) -> Collection[str]:
        """The addresses under which browsers reach the program, such as `http://127.0.0.1:8765`: any other came through DNS rebinding."""
        ...

    async def by_header(self, request: Request) -> "AuthenticatedRequest | None":
        """The member or user that the Authorization header names; None if it names none."""
        ...

    async def by_ticket(self, request: Request) -> "AuthenticatedRequest | None":
        """The member or user that the ticket in the address and the cookie name together."""
        ...

    def stays(self, session: Session) -> bool:
        """Mark a session as in use; False if it has ended."""
        ...

    def refusal(self) -> ApiError:
        """The error for requests that name no user."""
        ...

    def language(self, request: Request) -> str | None:
        """The language of the browser that asks; None: the system's."""
        ...


@dataclass(frozen=True, slots=True)
class AuthenticatedRequest:
    """`session` is None for a token."""

    principal: Principal
    session: Session | None = None


_BY_TOKEN: Final = AuthenticatedRequest(LOCAL)


class LocalAccess:
    """The desktop agent's: its one user has every scope."""

    on_server = False
    headers: Mapping[bytes, bytes] = {}
    usage: Usage | None = None

    def __init__(self, auth: Auth, port: Callable[[], int]) -> None:
        self._auth = auth
        self._port = port

    def origins(self) -> Collection[str]:
        return {f"http://{name}:{self._port()}" for name in ("127.0.0.1", "localhost")}

    async def by_header(self, request: Request) -> AuthenticatedRequest | None:
        header = request.headers.get("authorization")
        if self._auth.bearer(header):
            return _BY_TOKEN
        session = self._auth.by_header(header)
        return AuthenticatedRequest(LOCAL, session) if session else None

    async def by_ticket(self, request: Request) -> AuthenticatedRequest | None:
        session = self._auth.by_ticket(request.query_params.get("ticket"), request.cookies.get(cookie_name(self._port())))
        return AuthenticatedRequest(LOCAL, session) if session else None

    def stays(self, session: Session) -> bool:
        return self._auth.use(session) is not None  # type: ignore[arg-type]  # it is one of ours

    def refusal(self) -> ApiError:
        return Unauthorised()

    def language(self, request: Request) -> str | None:
        return None


class Guard:
    """ASGI middleware. It finds out who asks; what they may ask for is up to `agent.interfaces.web.scoped_route`."""

    def __init__(self, app: ASGIApp, *, access: Access, texts: Callable[[], Texts]) -> None:
        self._app = app
        self._access = access
        self._texts = texts
        self._headers = [*HEADERS.items(), *access.headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headed = self._with_headers(send)
        browser_language.set(self._access.language(Request(scope)))  # each request has a context of its own
        on_server.set(self._access.on_server)
        try:
            admitted = await self._admit(Request(scope))
        except AgentError as error:  # also of the database that knows the members
            note_code(scope, error.code)
            await self._refusal(error)(scope, receive, headed)
            return
        session = admitted.session if admitted else None
        answer = _Answer(receive, headed, session, self._access.stays)
        inside = {**scope, "session": session, USAGE: self._access.usage}
        if admitted is not None:
            inside[PRINCIPAL] = admitted.principal
        try:
            with acting_as(admitted.principal.id if admitted else HERE):
                await self._app(inside, answer.receive, answer.send)
            await answer.complete()
        except Exception as error:
            log.exception("api.unexpected")
            if answer.started:
                raise  # the connection breaks, so that a partial response is not mistaken for a complete one
            note_code(scope, Unexpected.code)
            unexpected = JSONResponse(Problem.of(Unexpected(kind=type(error).__name__), self._texts()).model_dump(), 500)
            await unexpected(scope, receive, headed)

    async def _admit(self, request: Request) -> AuthenticatedRequest | None:
        """Who asks; None on open paths. Raises ForeignOrigin, Unauthorised, SignInRequired, StoreError."""
        headers, origins = request.headers, self._access.origins()
        origin = headers.get("origin")
        hosts = {each.partition("://")[2] for each in origins}
        if headers.get("host", "").lower() not in hosts or (origin is not None and origin not in origins):
            raise ForeignOrigin
        path: str = request.scope["path"]  # as the routes see it; a URL would be put together anew, and end at a "?" that was escaped
        if OPEN.fullmatch(path):
            return None
        admitted = await self._access.by_header(request)
        if admitted is not None and admitted.session is None:  # a token: no browser sends it
            return admitted
        if headers.get("sec-fetch-site", "none") not in _OUR_SITES:
            raise ForeignOrigin
        if admitted is None and request.method in ("GET", "HEAD") and BY_TICKET.fullmatch(path):
            admitted = await self._access.by_ticket(request)
        if admitted is None:
            raise self._access.refusal()
        return admitted

    def _refusal(self, error: AgentError) -> Response:
        texts = self._texts()
        # A page that is not signed in has no other way to learn the program's language.
        return JSONResponse(
            Problem.of(error, texts).model_dump(), status_of(error), {"content-language": texts.language, **again_after(error)}
        )

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*headers, *self._headers]}
            await send(message)

        return wrapped


class _Answer:
    """The request and response streams; both end with their session, even in the middle of a stream."""

    def __init__(self, receive: Receive, send: Send, session: Session | None, stays: Callable[[Session], bool]) -> None:
        self._receive = receive
        self._send = send
        self._session = session
        self._stays = stays
        self.started = self._whole = False

    async def receive(self) -> Message:
        if self._session is None:
            return await self._receive()
        coming, over = asyncio.ensure_future(self._receive()), asyncio.ensure_future(self._session.over.wait())
        try:
            await asyncio.wait((coming, over), return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else {"type": "http.disconnect"}
        finally:
            coming.cancel()
            over.cancel()

    async def send(self, message: Message) -> None:
        """Send a message; an open stream keeps its session in use."""
        if self._session is not None and not self._stays(self._session):
            self._session.over.set()
        self.started = True
        self._whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def complete(self) -> None:
        """End a stream that was broken off because the session ended."""
        if self.started and not self._whole and self._session is not None and self._session.over.is_set():
            await self._send({"type": "http.response.body", "body": b""})
