"""Stands before every route: right host, right origin, and the token or a session; and sends the headers that keep a browser strict."""

import re
from collections.abc import Callable
from html import escape

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.api.auth import COOKIE, Auth
from agent.api.present import problem
from agent.domain.errors import ApiError, ForeignOrigin, Unauthorised, Unexpected
from agent.i18n import Texts

log = structlog.get_logger()

# `/health` says nothing but that somebody is there; `/open` takes the one-time code.
OPEN_PATHS = ("/health", "/open")
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
}
# A command in a text: `ai-popup open`.
_CODE = re.compile("`([^`]+)`")


class Guard:
    """ASGI middleware. `port` is the one we listen on: a request that names another host came through somebody's name server trick."""

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
            self._check(Request(scope))
        except ApiError as error:
            await self._refusal(error, scope)(scope, receive, _with_headers(send))
            return
        started = False

        async def begin(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, _with_headers(begin))
        except Exception as error:
            log.exception("api.unexpected")
            if started:
                raise  # the connection breaks, so that half an answer is not taken for a whole one
            answer = JSONResponse(problem(Unexpected(kind=type(error).__name__), self._texts()).model_dump(), 500)
            await answer(scope, receive, _with_headers(send))

    def _check(self, request: Request) -> None:
        """Raises ForeignOrigin or Unauthorised."""
        hosts = {f"{name}:{self._port()}" for name in ("127.0.0.1", "localhost")}
        origin = request.headers.get("origin")
        if request.headers.get("host") not in hosts or (origin is not None and origin not in {f"http://{host}" for host in hosts}):
            raise ForeignOrigin
        if request.url.path in OPEN_PATHS or self._auth.bearer(request.headers.get("authorization")):
            return
        if not self._auth.session(request.cookies.get(COOKIE)):
            raise Unauthorised

    def _refusal(self, error: ApiError, scope: Scope) -> Response:
        texts, status = self._texts(), 401 if isinstance(error, Unauthorised) else 403
        if scope["path"].startswith("/api/"):
            return JSONResponse(problem(error, texts).model_dump(), status)
        return HTMLResponse(sign_in_page(error, texts), status)


def sign_in_page(error: ApiError, texts: Texts) -> str:
    """What a browser without a session sees instead of the program."""
    cause, remedy = (_CODE.sub(r"<code>\1</code>", escape(text)) for text in (texts.cause(error), texts.remedy(error)))
    return (
        f'<!doctype html><html lang="{texts.language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{texts('app.name')}</title><style>:root{{color-scheme:light dark}}body{{font:15px/1.6 system-ui,sans-serif;max-width:34em;"
        f"margin:20vh auto;padding:0 24px}}h1{{font-size:20px}}</style><main><h1>{texts('app.name')}</h1>"
        f"<p>{cause}</p><p>{remedy}</p></main></html>"
    )


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message["headers"])
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message = {**message, "headers": [*headers, *HEADERS.items()]}
        await send(message)

    return wrapped
