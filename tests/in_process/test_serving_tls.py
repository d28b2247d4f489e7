"""Serving on the network: over TLS only, with limits for who connects and says nothing."""

import asyncio
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.domain.errors import NotRunning
from agent.interfaces.web import server
from agent.interfaces.web.certificates import Certificates
from agent.interfaces.web.client import Client
from agent.interfaces.web.connection_quota import ConnectionQuota
from agent.interfaces.web.local_connections import ConnectionPolicy
from agent.interfaces.web.runtime_file import RuntimeInfo, find
from agent.interfaces.web.server import Network, SocketHandover, serving
from agent.interfaces.web.streaming import ChunkedWrites

ANSWER = PlainTextResponse('{"ok": true}', media_type="application/json")


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    made = Certificates(tmp_path / "certificates", lambda: ("localhost", "127.0.0.1"), lambda: datetime.now(UTC))
    made.load()
    return made


@asynccontextmanager
async def served(
    certificates: Certificates, runtime: Path, policy: ConnectionPolicy | None = None, answer: ASGIApp = ANSWER
) -> AsyncIterator[int]:
    network = Network(tls=certificates.context, trusted=certificates.trusted)
    async with asyncio.timeout(60), serving(lambda _: answer, token="t", port=0, runtime=runtime, policy=policy, network=network) as port:
        yield port


async def test_who_trusts_the_authority_is_answered(certificates: Certificates, tmp_path: Path) -> None:
    trust = ssl.create_default_context(cafile=certificates.trusted)
    async with served(certificates, tmp_path) as port, httpx.AsyncClient(verify=trust, trust_env=False) as visitor:
        assert (await visitor.get(f"https://localhost:{port}/")).json() == {"ok": True}
        with pytest.raises(httpx.HTTPError):
            await visitor.get(f"http://localhost:{port}/")


async def test_of_a_large_answer_little_waits_for_a_visitor_who_does_not_read(certificates: Certificates, tmp_path: Path) -> None:
    trust, body, handed_on = ssl.create_default_context(cafile=certificates.trusted), bytes(range(256)) * 2**17, 0

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            nonlocal handed_on
            await send(message)
            handed_on += len(message.get("body", b""))

        await ChunkedWrites(Response(body))(scope, receive, counted)

    async with served(certificates, tmp_path, answer=answer) as port:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=trust)
        writer.write(f"GET / HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n".encode())
        before = -1
        while not handed_on or before != handed_on:
            before = handed_on
            await asyncio.sleep(0.2)
        assert handed_on < len(body) / 2  # the system's buffers take the most of it
        received = await reader.read()
        writer.close()
    assert received.endswith(b"\r\n\r\n" + body)
    assert handed_on == len(body)


async def test_commands_find_it_and_trust_its_certificate_alone(
    certificates: Certificates, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Certificates(tmp_path_factory.mktemp("other"), lambda: ("localhost",), lambda: datetime.now(UTC))
    other.load()

    def asked(client: Client) -> object:
        with closing(client):
            return client.get_json("/")

    async with served(certificates, tmp_path) as port:
        assert await asyncio.to_thread(lambda: asked(Client.find(tmp_path))) == {"ok": True}
        assert find(tmp_path).certificate == str(certificates.trusted)
        with pytest.raises(NotRunning):
            await asyncio.to_thread(asked, Client(RuntimeInfo(port, "t", 1, str(other.trusted))))


async def test_who_never_finishes_the_handshake_is_cut_off(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HANDSHAKE_S", 0.05)
    async with served(certificates, tmp_path) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await reader.read() == b""
        writer.close()


async def test_who_sends_no_request_is_cut_off(certificates: Certificates, tmp_path: Path) -> None:
    trust = ssl.create_default_context(cafile=certificates.trusted)
    async with served(certificates, tmp_path, ConnectionPolicy(lambda *_: True, headers_s=0.05)) as port:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=trust)
        try:
            received = await reader.read()
        except (ConnectionError, ssl.SSLError):  # cut off, or ended in order
            received = b""
        assert received == b""
        writer.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
async def test_one_address_holds_its_share_of_connections_and_handshakes(certificates: Certificates, tmp_path: Path) -> None:
    trust = ssl.create_default_context(cafile=certificates.trusted)
    policy = ConnectionPolicy(lambda *_: True, quota=ConnectionQuota(most=3, most_handshakes=2))

    async def silent(port: int, source: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))

    async def asked(port: int, source: str) -> tuple[bytes, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust, server_hostname="localhost", local_addr=(source, 0))
        writer.write(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return await reader.readuntil(b"\r\n"), writer

    async with served(certificates, tmp_path, policy) as port:
        waiting = [await silent(port, "127.0.0.2") for _ in range(2)]  # these say nothing, and hold both handshakes
        refused, writer = await silent(port, "127.0.0.2")
        assert await cut_off(refused)
        writer.close()
        other, kept = await asked(port, "127.0.0.3")
        assert other.startswith(b"HTTP/1.1 200")
        for reader, writer in waiting:
            writer.write(b"no TLS\r\n")
            assert await cut_off(reader)
        answers = [await asked(port, "127.0.0.2") for _ in range(3)]
        assert all(line.startswith(b"HTTP/1.1 200") for line, _ in answers)
        refused, writer = await silent(port, "127.0.0.2")
        assert await cut_off(refused)
        writer.close()
        answers[0][1].close()
        await answers[0][1].wait_closed()
        while True:  # until the server has noticed
            try:
                line, again = await asked(port, "127.0.0.2")
                break
            except (OSError, asyncio.IncompleteReadError):
                continue
        assert line.startswith(b"HTTP/1.1 200")
        for writer in (kept, again, *(writer for _, writer in answers[1:]), *(writer for _, writer in waiting)):
            writer.close()


async def cut_off(reader: asyncio.StreamReader) -> bool:
    """Wait until the other end closes the connection; what it says before, such as an alert, does not matter."""
    try:
        while await reader.read(1_000):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")
async def test_a_server_that_steps_back_leaves_every_connection_answered_or_to_its_successor(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        monkeypatch.setattr(server, "activated_socket", lambda _: held.dup())
        network = Network(tls=certificates.context, trusted=certificates.trusted, activated_socket="https")

        def answering(text: str, succession: SocketHandover) -> AbstractAsyncContextManager[int]:
            answer = PlainTextResponse(text)
            return serving(lambda _: answer, token="t", port=0, runtime=tmp_path, network=network, succession=succession)

        trust = ssl.create_default_context(cafile=certificates.trusted)
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=f"https://localhost:{port}", verify=trust, trust_env=False) as visitor:
            first = SocketHandover(grace_s=0)
            async with answering("first", first) as bound:
                assert bound == port and (await visitor.get("/")).text == "first"
                await first.stop_accepting()
                waiting = asyncio.create_task(visitor.get("/"))
            assert not waiting.done(), "nobody refused it"
            async with answering("second", SocketHandover()):
                assert (await waiting).text == "second"
