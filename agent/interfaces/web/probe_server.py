"""A small plain HTTP listener for probes and scrapers: GET only, one request per connection, no pages, no cookies."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

import structlog

from agent.interfaces.web.server import Network

log = structlog.get_logger()

MOST = 64  # connections at once; one more ends the oldest: probes send their request at once, and floods hold theirs back
REQUEST_S = 10.0
_MOST_BYTES = 16_384
_ASKED = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.[01]\r\n")
_AUTHORIZATION = re.compile(rb"\r\nauthorization:[ \t]*([!-~][ -~]*?)[ \t]*\r\n", re.IGNORECASE)
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Asked:
    path: str
    authorization: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"


Responder: TypeAlias = Callable[[Asked], Awaitable[Answer]]


@contextlib.asynccontextmanager
async def operations_port(host: str, port: int, respond: Responder, section: str = "server") -> AsyncIterator[int]:
    """Answer at `port` while inside, which is yielded. Raises SettingsInvalid if the section's port is taken, or its host elsewhere."""
    opened: dict[asyncio.StreamWriter, None] = {}  # the oldest first

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened[writer] = None
        if len(opened) > MOST:
            oldest = next(iter(opened))
            del opened[oldest]
            oldest.transport.abort()
        try:
            async with asyncio.timeout(REQUEST_S):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(await _response(head, respond))
            async with asyncio.timeout(REQUEST_S):
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no complete request, or the answer is not read
        finally:
            opened.pop(writer, None)
            writer.close()

    network = Network(host, f"{section}.operations_port", host_setting=f"{section}.operations_host")
    with network.bind(port) as listener:
        server = await asyncio.start_server(serve, sock=listener, limit=_MOST_BYTES)
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.close()


async def _response(head: bytes, respond: Responder) -> bytes:
    asked, given = _ASKED.match(head), _AUTHORIZATION.search(head)
    if asked is None:
        answer = Answer(400)
    else:
        path = asked[2].decode("ascii").partition("?")[0]
        try:
            answer = await respond(Asked(path, given[1].decode("ascii") if given else ""))
        except Exception:
            log.exception("operations.unexpected")
            answer = Answer(500)
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}",
        f"content-type: {answer.kind}",
        f"content-length: {len(answer.body)}",
        "cache-control: no-store",
        "connection: close",
        *(["www-authenticate: Bearer"] if answer.status == 401 else []),
    ]
    body = b"" if asked is not None and asked[1] == b"HEAD" else answer.body
    return "\r\n".join([*lines, "", ""]).encode() + body
