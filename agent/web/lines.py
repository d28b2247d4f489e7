"""Answers that come in parts, each as soon as it is known: lines of JSON, or bytes."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send


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


class Lines(Parts):
    """One line for each schema."""

    def __init__(self, lines: AsyncGenerator[BaseModel, None]) -> None:
        super().__init__(_encoded(lines), lines, media_type="application/x-ndjson")


async def _encoded(lines: AsyncGenerator[BaseModel, None]) -> AsyncGenerator[bytes, None]:
    async for line in lines:
        yield line.model_dump_json().encode() + b"\n"
