"""Checks every request before its route: host, origin, and token or session; and adds the headers that restrict the browser."""

import asyncio
import re
from collections.abc import Callable

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.core.i18n import Texts
from agent.domain.errors import ApiError, ForeignOrigin, Unauthorised, Unexpected
from agent.web.auth import Auth, BrowserSession
from agent.web.schemas import Problem
from agent.web.session_routes import cookie_name

log = structlog.get_logger()

# The program's own files, the same for all users; `/health`, which only reports that an agent is running; and the one-time code's route.
OPEN = re.compile(r"/(health|popup|picker|assets/.+|api/session|api/help/pictures/.+)?")
# Requests that a browser makes for an element of the page: they can't carry our header.
BY_TICKET = re.compile(
    r"/api/(events|support-bundle|images/\d+/(preview|thumbnail|original)|captures/frames/[^/]+|captures/[^/]+/picture"
    r"|people/\d+/export|redaction-items/\d+/(copy|preview))"
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
}


class Guard:
    """ASGI middleware. `port` is our own: a request that names another host came through DNS rebinding."""

    def __init__(self, app: ASGIApp, *, auth: Auth, port: Callable[[], int], texts: Callable[[], Texts]) -> None:
        self._app = app
        self._auth = auth
        self._port = port
        self._texts = texts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        try:
            session = self._check(Request(scope))
        except ApiError as error:
            await self._refusal(error)(scope, receive, _with_headers(send))
            return
        answer = _Answer(receive, send, session, self._auth.use)
        try:
            await self._app({**scope, "session": session}, answer.receive, _with_headers(answer.send))
            await answer.complete()
        except Exception as error:
            log.exception("api.unexpected")
            if answer.started:
                raise  # the connection breaks, so that a partial response is not mistaken for a complete one
            unexpected = JSONResponse(Problem.of(Unexpected(kind=type(error).__name__), self._texts()).model_dump(), 500)
            await unexpected(scope, receive, _with_headers(send))

    def _check(self, request: Request) -> BrowserSession | None:
        """The requesting session, None for the token and for open paths. Raises ForeignOrigin or Unauthorised."""
        hosts = {f"{name}:{self._port()}" for name in ("127.0.0.1", "localhost")}
        origin = request.headers.get("origin")
        if request.headers.get("host") not in hosts or (origin is not None and origin not in {f"http://{host}" for host in hosts}):
            raise ForeignOrigin
        path, header = request.url.path, request.headers.get("authorization")
        if OPEN.fullmatch(path) or self._auth.bearer(header):
            return None
        if request.headers.get("sec-fetch-site", "none") not in _OUR_SITES:
            raise ForeignOrigin
        session = self._auth.by_header(header)
        if session is None and request.method in ("GET", "HEAD") and BY_TICKET.fullmatch(path):
            session = self._auth.by_ticket(request.query_params.get("ticket"), request.cookies.get(cookie_name(self._port())))
        if session is None:
            raise Unauthorised
        return session

    def _refusal(self, error: ApiError) -> Response:
        texts, status = self._texts(), 401 if isinstance(error, Unauthorised) else 403
        # A page that is not signed in has no other way to learn the program's language.
        return JSONResponse(Problem.of(error, texts).model_dump(), status, {"content-language": texts.language})


class _Answer:
    """The request and response streams; both end with their session, even in the middle of a stream."""

    def __init__(
        self, receive: Receive, send: Send, session: BrowserSession | None, use: Callable[[BrowserSession], BrowserSession | None]
    ) -> None:
        self._receive = receive
        self._send = send
        self._session = session
        self._use = use
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
        if self._session is not None and self._use(self._session) is None:
            self._session.over.set()
        self.started = True
        self._whole = message["type"] == "http.response.body" and not message.get("more_body", False)
        await self._send(message)

    async def complete(self) -> None:
        """End a stream that was broken off because the session ended."""
        if self.started and not self._whole and self._session is not None and self._session.ended:
            await self._send({"type": "http.response.body", "body": b""})


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*headers, *HEADERS.items()]}
        await send(message)

    return wrapped
