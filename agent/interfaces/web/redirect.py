"""Sends browsers that ask by http:// on to https://, on a port of its own."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Collection

from agent.interfaces.web.certificates import origins_of
from agent.interfaces.web.local_connections import HEADERS_S, MOST
from agent.interfaces.web.server import Network

_MOST_BYTES = 16_384
_ASKED = re.compile(rb"[A-Z]{1,20} (/[!-~]*) HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*(\[[0-9a-f:.]+\]|[^\s:\[\]]+)", re.IGNORECASE)
_ANSWER = "HTTP/1.1 {status}\r\n{location}content-length: 0\r\nconnection: close\r\n\r\n"


@contextlib.asynccontextmanager
async def redirecting(host: str, port: int, names: Callable[[], Collection[str]], secure: int) -> AsyncIterator[int]:
    """Answer at `port` while inside, which is yielded; `secure` is the port for HTTPS. Other names than `names` get no address.

    Raises SettingsInvalid if the port is taken.
    """
    open_now = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_now
        open_now += 1
        try:
            if open_now <= MOST:
                async with asyncio.timeout(HEADERS_S):
                    head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head, names(), secure))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # no request of a browser
        finally:
            open_now -= 1
            writer.close()

    with Network(host, "server.http_port", activated_socket="http").bind(port) as listener:
        server = await asyncio.start_server(answer, sock=listener, limit=_MOST_BYTES)
        async with server:
            yield int(listener.getsockname()[1])


def _answer(head: bytes, names: Collection[str], secure: int) -> bytes:
    asked, host = _ASKED.match(head), _HOST.search(head)
    name = host[1].decode("latin-1").lower().strip("[]") if host else ""
    if asked is None or name not in names:
        return _ANSWER.format(status="400 Bad Request", location="").encode()
    [origin] = origins_of([name], secure)
    location = f"location: {origin}{asked[1].decode('ascii')}\r\n"
    return _ANSWER.format(status="308 Permanent Redirect", location=location).encode()
