"""An HTTP transport that calls an ASGI application in this process and streams its responses.

The ASGI transport of httpx buffers whole responses and is for asynchronous clients only. An error is also passed on unchanged (`error` and
`traceback` among the answer's extensions), so that it can be told where it arose.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Protocol, TypeVar

import httpx
from starlette.types import ASGIApp, Message, Scope

from agent.domain.errors import AgentError
from agent.interfaces.web.error_responses import REFUSED

T = TypeVar("T")


class Run(Protocol):
    """Runs the event loop until some work is done. Raises what the work raises."""

    def __call__(self, work: Callable[[], Awaitable[T]], /) -> T: ...


class InProcess(httpx.BaseTransport):
    """The application runs only during `run`: during a request, and while the caller waits for the next part of a response."""

    def __init__(self, application: ASGIApp, run: Run) -> None:
        self._application = application
        self._run = run

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        exchange = _Exchange(request)
        try:
            start = self._run(lambda: exchange.begin(self._application))
        except BaseException:
            self._run(exchange.close)
            raise
        told = {"error": exchange.error, "traceback": exchange.traceback}
        return httpx.Response(start["status"], headers=start["headers"], stream=_Parts(exchange, self._run), extensions=told)


class _Exchange:
    """One request and its answer."""

    def __init__(self, request: httpx.Request) -> None:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self._scope = {**_scope(request), "extensions": {REFUSED: self._refused}}
        self.error: AgentError | None = None
        self.traceback: TracebackType | None = None
        self._parts = iter(request.stream)
        self._asked = False  # all of the request was read
        self._over = asyncio.Event()
        self._said: asyncio.Queue[Message] = asyncio.Queue(1)
        self._answering: asyncio.Task[None] | None = None

    async def begin(self, application: ASGIApp) -> Message:
        """The first message of the answer. Raises what the application raises."""
        self._answering = asyncio.create_task(_called(application, self._scope, self))
        start = await self.following()
        assert start is not None, "an application answers"
        return start

    async def following(self) -> Message | None:
        """None at the end. Raises what the application raises."""
        assert self._answering is not None
        said = asyncio.create_task(self._said.get())
        try:
            await asyncio.wait((said, self._answering), return_when=asyncio.FIRST_COMPLETED)
            if said.done():
                return said.result()
        finally:
            said.cancel()
        self._answering.result()
        return None

    async def close(self) -> None:
        """Hang up."""
        self._over.set()
        if self._answering is not None and not self._answering.done():
            self._answering.cancel()
            await asyncio.wait((self._answering,))

    def _refused(self, error: AgentError) -> None:
        self.error, self.traceback = error, error.__traceback__  # Starlette takes it off when it has answered

    async def receive(self) -> Message:
        if self._asked:
            await self._over.wait()
            return {"type": "http.disconnect"}
        part = next(self._parts, None)
        self._asked = part is None
        return {"type": "http.request", "body": part or b"", "more_body": not self._asked}

    async def send(self, message: Message) -> None:
        await self._said.put(message)


class _Parts(httpx.SyncByteStream):
    def __init__(self, exchange: _Exchange, run: Run) -> None:
        self._exchange = exchange
        self._run = run

    def __iter__(self) -> Iterator[bytes]:
        while (message := self._run(self._exchange.following)) is not None:
            yield message["body"]

    def close(self) -> None:
        self._run(self._exchange.close)


async def _called(application: ASGIApp, scope: Scope, exchange: _Exchange) -> None:
    await application(scope, exchange.receive, exchange.send)


def _scope(request: httpx.Request) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
