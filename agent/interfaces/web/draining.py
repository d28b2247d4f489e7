"""Ends a server without cutting off requests: no new ones are taken, running ones may finish."""

import asyncio
import re
from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.domain.errors import AgentError, ServerEnding
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.guard import HEADERS
from agent.interfaces.web.schemas import Problem

# Never finished: their readers connect again.
_ENDLESS = re.compile(r"/api/(events|desk/people)")
_AGAIN_S = "5"
# It answers before the guard does.
_HEADERS = {"cache-control": "no-store"} | {name.decode(): value.decode() for name, value in HEADERS.items()}


class Draining:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, texts: Callable[[], Texts]) -> None:
        self._app = app
        self._texts = texts
        self._ending = False
        self._reason: AgentError = ServerEnding()
        self._last = False
        self._running = 0
        self._done = asyncio.Event()
        self._done.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _ENDLESS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        if self._ending:
            await self._refuse(scope, receive, send)
            return
        begun = False

        async def answered(message: Message) -> None:
            nonlocal begun
            begun = True
            if self._last and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        self._running += 1
        self._done.clear()
        try:
            await self._app(scope, receive, answered)
        except asyncio.CancelledError:  # it took longer than the server waits; without an answer it would look like a defect
            if not begun:
                await self._refuse(scope, receive, send)
            raise
        finally:
            self._running -= 1
            if self._running == 0:
                self._done.set()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = JSONResponse(Problem.of(self._reason, self._texts()).model_dump(), 503, {**_HEADERS, "retry-after": _AGAIN_S})
        await refusal(scope, receive, send)

    def abort_running(self, reason: AgentError) -> None:
        """Give this reason to running requests that are cut off, and to new ones: the process goes on, and serves again."""
        self._ending, self._reason = True, reason

    def close_after_response(self) -> None:
        """Have each answer close its connection: the next request opens one to the process that follows."""
        self._last = True

    async def drain(self, limit_s: float) -> bool:
        """Take no more requests, and wait for the running ones; False if they took longer than the limit."""
        self._ending = True
        try:
            async with asyncio.timeout(limit_s):
                await self._done.wait()
        except TimeoutError:
            return False
        return True
