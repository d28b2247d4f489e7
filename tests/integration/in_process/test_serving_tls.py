"""Serving on the network: over TLS only, with limits for who connects and says nothing."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from starlette.responses import PlainTextResponse

from agent.domain.errors import NotRunning
from agent.web import server
from agent.web.certificates import Certificates
from agent.web.client import Client
from agent.web.connection import Door
from agent.web.server import Network, serving
from agent.web.whereabouts import Whereabouts, find


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    made = Certificates(tmp_path / "certificates", lambda: ("localhost", "127.0.0.1"), lambda: datetime.now(UTC))
    made.load()
    return made


@asynccontextmanager
async def served(certificates: Certificates, runtime: Path, door: Door | None = None) -> AsyncIterator[int]:
    network = Network(tls=certificates.context, trusted=certificates.trusted)
    answer = PlainTextResponse('{"ok": true}', media_type="application/json")
    async with asyncio.timeout(60), serving(lambda _: answer, token="t", port=0, runtime=runtime, door=door, network=network) as port:
        yield port


async def test_who_trusts_the_authority_is_answered(certificates: Certificates, tmp_path: Path) -> None:
    trust = ssl.create_default_context(cafile=certificates.trusted)
    async with served(certificates, tmp_path) as port, httpx.AsyncClient(verify=trust, trust_env=False) as visitor:
        assert (await visitor.get(f"https://localhost:{port}/")).json() == {"ok": True}
        with pytest.raises(httpx.HTTPError):
            await visitor.get(f"http://localhost:{port}/")


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
            await asyncio.to_thread(asked, Client(Whereabouts(port, "t", 1, str(other.trusted))))


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
    async with served(certificates, tmp_path, Door(lambda *_: True, headers_s=0.05)) as port:
        reader, writer = await asyncio.open_connection("localhost", port, ssl=trust)
        try:
            received = await reader.read()
        except (ConnectionError, ssl.SSLError):  # cut off, or ended in order
            received = b""
        assert received == b""
        writer.close()
