"""Answers in parts: as each is known (lines of JSON, or bytes), and large ones in pieces, so that a connection never holds a whole one."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PIECE: Final = 65_536  # bytes


class Parts(StreamingResponse):
    """When the client hangs up, the source is closed at once: `parts`, or what they are made of."""

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        source: AsyncGenerator[Any, None] | None = None,
        *,
        media_type: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._source = source or parts
        super().__init__(parts, media_type=media_type, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._source):
            await super().__call__(scope, receive, send)


class NdjsonResponse(Parts):
    """One line for each schema."""

    def __init__(self, lines: AsyncGenerator[BaseModel, None]) -> None:
        super().__init__(_encoded(lines), lines, media_type="application/x-ndjson")


async def _encoded(lines: AsyncGenerator[BaseModel, None]) -> AsyncGenerator[bytes, None]:
    async for line in lines:
        yield line.model_dump_json().encode() + b"\n"


class ChunkedWrites:
    """ASGI middleware. OpenSSL keeps, for as long as a connection lives, room for the most that was ever written to it at once: the index
    of 300,000 photos would take 2 MB of each. A piece is written when the ones before are on their way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            body: bytes = message.get("body", b"")
            if len(body) <= PIECE:
                await send(message)
                return
            more = message.get("more_body", False)
            for start in range(0, len(body), PIECE):
                is_last = start + PIECE >= len(body)
                await send({**message, "body": body[start : start + PIECE], "more_body": more or not is_last})

        await self._app(scope, receive, sent)
