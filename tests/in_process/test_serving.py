"""How the API is served: on a real port of this machine, to real clients."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import tempfile
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import Response
from structlog.testing import capture_logs
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agent.app.http import create_app
from agent.domain.errors import AgentError, NotRunning, SettingsInvalid
from agent.interfaces.web.client import Client
from agent.interfaces.web.connection_quota import ConnectionQuota
from agent.interfaces.web.local_connections import ConnectionPolicy
from agent.interfaces.web.runtime_file import LOCK_FILE, RuntimeInfo, find, is_serving, leave
from agent.interfaces.web.server import Network, believed_proxies, serving
from tests.support.killed_processes import left_by_a_killed_program
from tests.unit.interfaces.web.conftest import served, shared_api

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from agent.interfaces.web.peers import Address
    from tests.unit.interfaces.web.conftest import Served

__all__ = ["served", "shared_api"]  # fixtures


async def test_it_speaks_to_a_served_agent_and_no_proxy_gets_to_see_it(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path) as port:
        assert find(tmp_path) == RuntimeInfo(port, served.auth.token, os.getpid())
        client = Client.find(tmp_path)
        assert (await asyncio.to_thread(client.status)).version == "1.2.3"
        url = await asyncio.to_thread(client.session_url, "popup")
        assert url.startswith(f"http://127.0.0.1:{port}/popup#code=")
        with pytest.raises(AgentError) as refused:
            await asyncio.to_thread(client.get_json, "/api/images/7")
        assert refused.value.code == "api.not_found"
        with pytest.raises(SettingsInvalid):
            async with serving(partial(create_app, served.context), token=served.auth.token, port=port, runtime=tmp_path / "other"):
                pytest.fail("the port is taken")
        client.close()
    with pytest.raises(NotRunning):
        find(tmp_path)


async def test_what_a_killed_program_left_of_covered_copies_is_deleted(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    left = await asyncio.to_thread(left_by_a_killed_program, temporary)
    os.utime(left.parent.parent, (0, 0))
    async with serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path):
        assert not left.exists()


def accepted(port: int) -> list[socket.socket]:
    """This process's ends of the connections to a port of its own."""
    ours = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0]
    ours = [each for each in ours if each.family is socket.AF_INET and _port(each) == port]
    return [each for each in ours if not each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)]


def _port(end: socket.socket) -> int | None:
    """Windows knows no name of a socket that was never bound."""
    try:
        return int(end.getsockname()[1])
    except OSError:
        return None


async def test_small_answers_leave_at_once(served: Served, tmp_path: Path) -> None:
    async with (
        serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path) as port,
        httpx.AsyncClient(trust_env=False) as client,
    ):
        assert (await client.get(f"http://127.0.0.1:{port}/health")).json() == {"ok": True}
        ends = accepted(port)
        assert ends and all(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in ends)


@pytest.mark.parametrize("host", ["127.0.0.1", "::"])
@pytest.mark.parametrize(("proxies", "believed"), [((), "127.0.0.1"), (("127.0.0.1",), "192.0.2.7")])
async def test_a_proxy_that_is_named_says_who_asks_whichever_way_its_address_is_written(
    host: str, proxies: tuple[str, ...], believed: str, tmp_path: Path
) -> None:
    async def says_who_asks(scope: Scope, receive: Receive, send: Send) -> None:
        await Response(scope["client"][0])(scope, receive, send)

    policy = ConnectionPolicy(lambda _, __: True, quota=ConnectionQuota(256, 256, proxies))  # as a server's, which welcomes other computers
    with suppress(SettingsInvalid):  # a machine without IPv6
        async with (
            serving(lambda _: says_who_asks, token="x", port=0, runtime=tmp_path, policy=policy, network=Network(host)) as port,
            httpx.AsyncClient(trust_env=False, base_url=f"http://127.0.0.1:{port}") as client,
        ):
            assert (await client.get("/")).text == "127.0.0.1"
            assert (await client.get("/", headers={"x-forwarded-for": "192.0.2.7"})).text == believed


async def test_a_proxy_of_a_network_is_believed_however_the_network_is_written() -> None:
    seen: list[object] = []

    async def sees(scope: Scope, _: Receive, __: Send) -> None:
        seen.append(scope["client"][0])

    for proxies in (["10.1.2.3/8"], ["10.0.0.0/8"], ["10.9.9.9"], ["10.9.9.8"]):
        headers = [(b"x-forwarded-for", b"192.0.2.7")]
        believing: Any = ProxyHeadersMiddleware(sees, believed_proxies(proxies))  # type: ignore[arg-type]  # as uvicorn puts it in
        await believing({"type": "http", "client": ("10.9.9.9", 1), "headers": headers}, None, None)
    assert seen == ["192.0.2.7"] * 3 + ["10.9.9.9"]


async def test_a_photo_that_was_sent_before_a_kill_is_gone_once_it_is_served_again(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "ai-popup-a1b2.photo"
    left.touch()
    os.utime(left, (0, 0))
    async with serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path):
        assert not left.exists()


async def test_a_request_that_the_end_cuts_off_is_no_error_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    began = asyncio.Event()

    async def endless(_: Scope, __: Receive, ___: Send) -> None:
        began.set()
        await asyncio.Event().wait()

    async with httpx.AsyncClient(trust_env=False, timeout=100) as client:
        async with serving(lambda _: endless, token="token", port=0, runtime=tmp_path) as port:
            asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/"))
            await began.wait()
        assert (await asking).status_code == 500
    assert [each for each in caplog.records if each.name.startswith("uvicorn") and each.levelno >= logging.WARNING] == []


async def test_a_request_whose_head_never_ends_is_let_go(served: Served, tmp_path: Path) -> None:
    """At once, and after a whole one by the same connection, a byte at a time."""
    async with serving(
        partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path, policy=ConnectionPolicy(headers_s=0.2)
    ) as port:
        whole = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode()
        for before in (b"", whole[:20], whole + whole[:20]):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(before)
            assert (await read_to_the_end(reader)).count(b'{"ok":true}') == (len(before) > len(whole))
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(ConnectionError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()


async def read_to_the_end(reader: asyncio.StreamReader) -> bytes:
    said = b""
    with suppress(ConnectionError):
        while more := await reader.read(1000):
            said += more
    return said


async def test_there_are_only_so_many_connections_and_the_next_come_in_again(served: Served, tmp_path: Path) -> None:
    async with serving(
        partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path, policy=ConnectionPolicy(most=2)
    ) as port:
        kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        head = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode()
        for reader, writer in kept:
            writer.write(head)
            assert b"200 OK" in await reader.readuntil(b"}")
        with capture_logs() as lines:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                assert await read_to_the_end(reader) == b""
                writer.close()
        assert [line["event"] for line in lines] == ["api.connection_refused"]
        kept[0][1].write(head[:-2] + b"connection: close\r\n\r\n")
        assert b"200 OK" in await read_to_the_end(kept[0][0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        assert b"200 OK" in await reader.readuntil(b"}")
        for _, each in (*kept, (reader, writer)):
            each.close()


async def test_a_connection_of_another_user_is_refused_by_its_two_ends(served: Served, tmp_path: Path) -> None:
    asked: list[tuple[Address, Address]] = []

    def foreign(there: Address, here: Address) -> bool:
        asked.append((there, here))
        return False

    async with serving(
        partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path, policy=ConnectionPolicy(foreign)
    ) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        mine = writer.get_extra_info("sockname")
        assert await read_to_the_end(reader) == b"" and asked == [(mine, ("127.0.0.1", port))]
        writer.close()


async def test_the_word_of_a_killed_agent_is_not_believed(served: Served, tmp_path: Path) -> None:
    async with serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path) as port:
        where = find(tmp_path)
        assert is_serving(tmp_path)
    leave(tmp_path, where)
    assert not is_serving(tmp_path)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(NotRunning):
        Client.find(tmp_path)
    (tmp_path / LOCK_FILE).unlink()  # an agent of before there was a lock
    assert is_serving(tmp_path)


async def test_what_an_ended_session_listens_to_breaks_off_at_once(served: Served, tmp_path: Path) -> None:
    async with (
        serving(partial(create_app, served.context), token=served.auth.token, port=0, runtime=tmp_path) as port,
        httpx.AsyncClient(trust_env=False, timeout=60) as page,
    ):
        address = f"http://127.0.0.1:{port}"
        given = (await page.post(f"{address}/api/session", json={"code": served.auth.new_code()})).json()
        async with page.stream("GET", f"{address}/api/events", params={"ticket": given["ticket"]}) as events:
            lines = events.aiter_lines()
            assert await anext(lines) == "event: status"
            assert served.auth.end(None) == 1
            assert all([not line.startswith("event:") async for line in lines]), "it ends, and in order"
        again = await page.get(f"{address}/api/events", params={"ticket": given["ticket"]})
        assert again.status_code == 401
