"""Browsers that ask by http:// are sent on, to our own names only."""

import asyncio

import pytest

from agent.domain.errors import SettingsInvalid
from agent.interfaces.web.redirect import redirecting

NAMES = ("photos.example", "192.0.2.7", "2001:db8::1")


async def asked(port: int, request: bytes) -> list[str]:
    """The lines of the answer's head."""
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer.decode().split("\r\n")


@pytest.mark.parametrize(
    ("host", "secure", "location"),
    [
        ("photos.example", 8443, "https://photos.example:8443/people?sort=name"),
        ("Photos.Example:8080", 443, "https://photos.example/people?sort=name"),
        ("192.0.2.7:8080", 8443, "https://192.0.2.7:8443/people?sort=name"),
        ("[2001:db8::1]:8080", 8443, "https://[2001:db8::1]:8443/people?sort=name"),
    ],
)
async def test_a_browser_is_sent_to_the_same_page(host: str, secure: int, location: str) -> None:
    async with redirecting("127.0.0.1", 0, lambda: NAMES, secure) as port:
        head = await asked(port, f"GET /people?sort=name HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    assert head[0] == "HTTP/1.1 308 Permanent Redirect" and f"location: {location}" in head


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET https://elsewhere.example/ HTTP/1.1\r\nHost: photos.example\r\n\r\n",
        b"\x16\x03\x01 no request\r\n\r\n",
    ],
)
async def test_nobody_is_sent_elsewhere(request_: bytes) -> None:
    async with redirecting("127.0.0.1", 0, lambda: NAMES, 8443) as port:
        head = await asked(port, request_)
    assert head[0] == "HTTP/1.1 400 Bad Request" and not any(line.startswith("location") for line in head)


async def test_too_long_a_request_gets_no_answer() -> None:
    received = b"?"
    async with redirecting("127.0.0.1", 0, lambda: NAMES, 8443) as port, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /" + b"a" * 100_000)
        try:
            received = await reader.read()
        except ConnectionError:  # closed before all of it was read
            received = b""
        writer.close()
    assert received == b""


async def test_a_taken_port_is_named_by_its_setting() -> None:
    async with redirecting("127.0.0.1", 0, lambda: NAMES, 8443) as port:
        with pytest.raises(SettingsInvalid) as refused:
            async with redirecting("127.0.0.1", port, lambda: NAMES, 8443):
                pass
    assert refused.value.params["key"] == "server.http_port"
