"""The listener for probes: one request, one answer, nothing else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx
import pytest

from agent.domain.errors import SettingsInvalid
from agent.interfaces.web.probe_server import MOST, Answer, Asked, operations_port


async def echo(asked: Asked) -> Answer:
    if asked.path == "/broken":
        raise RuntimeError
    if asked.path == "/secret" and not asked.authorization:
        return Answer(401)
    return Answer(200, f"{asked.path} {asked.authorization}".encode())


@asynccontextmanager
async def visitor() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        asyncio.timeout(60),
        operations_port("127.0.0.1", 0, echo) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):
        yield client


async def test_path_and_authorization_arrive_and_the_query_is_dropped() -> None:
    async with visitor() as client:
        answer = await client.get("/ready?verbose=1", headers={"Authorization": "Bearer abc"})
    assert (answer.status_code, answer.text) == (200, "/ready Bearer abc")
    assert answer.headers["cache-control"] == "no-store" and answer.headers["connection"] == "close"


async def test_head_is_answered_without_a_body() -> None:
    async with visitor() as client:
        answer = await client.head("/live")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "6")


async def test_who_must_show_a_token_is_told_so() -> None:
    async with visitor() as client:
        answer = await client.get("/secret")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_defect_is_answered_and_the_next_request_too() -> None:
    async with visitor() as client:
        assert (await client.get("/broken")).status_code == 500
        assert (await client.get("/live")).status_code == 200


@pytest.mark.parametrize("sent", [b"POST /live HTTP/1.1\r\n\r\n", b"GET live HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"])
async def test_other_requests_are_refused(sent: bytes) -> None:
    async with asyncio.timeout(60), operations_port("127.0.0.1", 0, echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_head_without_end_is_cut_off() -> None:
    async with asyncio.timeout(60), operations_port("127.0.0.1", 0, echo) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /live HTTP/1.1\r\nx: " + b"y" * 100_000)
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()


async def test_half_sent_requests_keep_no_probe_from_its_answer() -> None:
    """Else another user of the computer has a server restarted that is well."""
    async with asyncio.timeout(60), operations_port("127.0.0.1", 0, echo) as port:
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2 * MOST)]
        for _, writer in held:
            writer.write(b"GET /live HTTP/1.1\r\n")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            answers = [(await client.get("/live")).text.strip() for _ in range(3)]
        with suppress(ConnectionResetError):
            assert await held[0][0].read() == b"", "the oldest makes room"
        for _, writer in held:
            writer.close()
    assert answers == ["/live"] * 3


@pytest.mark.parametrize("section", ["server", "worker"])
async def test_a_taken_port_names_its_setting(section: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(SettingsInvalid) as refused:
            async with operations_port("127.0.0.1", other.getsockname()[1], echo, section):
                pass
    assert refused.value.params == {"key": f"{section}.operations_port", "reason": "port_taken"}


async def test_an_address_of_another_computer_names_its_setting() -> None:
    with pytest.raises(SettingsInvalid) as refused:
        async with operations_port("192.0.2.1", 0, echo):
            pass
    assert refused.value.params == {"key": "server.operations_host", "reason": "address"}
