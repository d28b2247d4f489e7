"""Answers that come line by line: JSON, each line as soon as it is known."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send


class Lines(StreamingResponse):
    """One line for each schema. When the client hangs up, `lines` is closed at once."""

    def __init__(self, lines: AsyncGenerator[BaseModel, None]) -> None:
        self._lines = lines
        super().__init__(_encoded(lines), media_type="application/x-ndjson")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._lines):
            await super().__call__(scope, receive, send)


async def _encoded(lines: AsyncGenerator[BaseModel, None]) -> AsyncGenerator[bytes, None]:
    async for line in lines:
        yield line.model_dump_json().encode() + b"\n"
