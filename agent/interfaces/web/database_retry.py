"""Does requests again that a lost database broke off, once it is back: during a failover pages see a slow answer, not an error.

A request that reads is done again, and so is one that changes something unless it had begun to commit: then it is unknown what was made,
and the answer is 503. Who asks again meets the same limits as before.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.domain.errors import StoreUnreachable
from agent.infrastructure.core.coalescing import SingleFlight
from agent.infrastructure.core.commit_tracking import CommitTracker, commits
from agent.interfaces.web.request_counts import record_of

log = structlog.get_logger()

WAIT_S: Final = 12.0  # less than the page's limit of 15 seconds
MOST_WAITING: Final = 512
LARGEST_BODY: Final = 65_536
UPLOAD_PART: Final = b"application/offset+octet-stream"  # it is in its file already: the page asks where to go on
_ASK_S, _PAUSE_S = 3.0, 0.1
_SAFE: Final = frozenset({"GET", "HEAD"})


class DatabaseRecovery:
    """`ask` asks the database something, blocking; it raises while it gets no answer. All who wait share one question."""

    def __init__(self, ask: Callable[[], object]) -> None:
        self._ask = SingleFlight(ask, _ASK_S)
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    async def wait(self, limit_s: float) -> bool:
        """Wait until the database answers. Return False if it doesn't in time, or if too many wait."""
        if self._waiting >= MOST_WAITING:
            return False
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        self._waiting += 1
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.shield(self._looking)
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_S)
            with suppress(Exception):  # whatever it is, it isn't the answer
                await self._ask.wait()
                return
            if not self._waiting:
                return


class RetryMiddleware:
    """ASGI middleware around the guard, which reads the database too. `wait_s` is how long a request may take with its repetitions."""

    def __init__(self, app: ASGIApp, database: DatabaseRecovery, wait_s: float = WAIT_S) -> None:
        self._app = app
        self._database = database
        self._wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_repeatable(scope):
            await self._app(scope, receive, send)
            return
        deadline = asyncio.get_running_loop().time() + self._wait_s
        body = _Body(receive)
        while True:
            attempt = _Attempt(scope, body, send)
            await attempt.run(self._app)
            if not attempt.refused:
                return
            left = deadline - asyncio.get_running_loop().time()
            if not attempt.repeatable or left <= 0 or not await body.until_disconnect(self._database.wait(left)):
                for message in attempt.refused:
                    await send(message)
                return
            log.info("request.repeated")


class _Body:
    """What was received, so that each attempt is given the same."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received: list[Message] = []

    def reader(self) -> Receive:
        """Return what an attempt receives by: from the beginning."""
        position = 0

        async def receive() -> Message:
            nonlocal position
            if position == len(self._received):
                self._received.append(await self._receive())
            position += 1
            return self._received[position - 1]

        return receive

    async def until_disconnect(self, work: Coroutine[Any, Any, bool]) -> bool:
        """Return what `work` does; False as soon as the client left."""
        waiting, leaving = asyncio.create_task(work), asyncio.create_task(self._left())
        try:
            await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
            return waiting.done() and waiting.result()
        finally:
            for task in (waiting, leaving):
                task.cancel()
            await asyncio.gather(waiting, leaving, return_exceptions=True)

    async def _left(self) -> None:
        while not any(each["type"] == "http.disconnect" for each in self._received):
            self._received.append(await self._receive())


class _Attempt:
    """One run of the request. What says that the database was lost is kept in `refused` instead of being sent."""

    def __init__(self, scope: Scope, body: _Body, send: Send) -> None:
        self.refused: list[Message] = []
        self._scope = scope
        self._receive = body.reader()
        self._send = send
        self._commits = CommitTracker()

    @property
    def repeatable(self) -> bool:
        return self._scope["method"] in _SAFE or not self._commits.begun

    async def run(self, app: ASGIApp) -> None:
        if (record := record_of(self._scope)) is not None:
            record.code = ""
        token = commits.set(self._commits)
        try:
            await app({**self._scope}, self._receive, self._taken)
        finally:
            commits.reset(token)

    async def _taken(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            record = record_of(self._scope)
            if message["status"] == 503 and record is not None and record.code == StoreUnreachable.code:
                self.refused.append(message)
                return
        elif self.refused:
            self.refused.append(message)
            return
        await self._send(message)


def _is_repeatable(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    if headers.get(b"content-type") == UPLOAD_PART:
        return False
    length = headers.get(b"content-length", b"0")
    return b"transfer-encoding" not in headers and length.isdigit() and int(length) <= LARGEST_BODY
