"""How the API is served: on a real port of this machine, to real clients."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import tempfile
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.api.client import Client
from agent.api.server import serving
from agent.api.whereabouts import Whereabouts, find
from agent.domain.errors import AgentError, NotRunning, SettingsInvalid
from tests.unit.api.conftest import served, shared_api

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.api.conftest import Served

__all__ = ["served", "shared_api"]  # fixtures


async def test_it_speaks_to_a_served_agent_and_no_proxy_gets_to_see_it(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with serving(served.context, port=0, runtime=tmp_path) as port:
        assert find(tmp_path) == Whereabouts(port, served.auth.token, os.getpid())
        client = Client.find(tmp_path)
        assert (await asyncio.to_thread(client.status)).version == "1.2.3"
        url = await asyncio.to_thread(client.session_url, "popup")
        async with httpx.AsyncClient(trust_env=False) as browser:
            assert (await browser.get(url)).headers["location"] == "/popup"
        with pytest.raises(AgentError) as refused:
            await asyncio.to_thread(client.get_json, "/api/images/7")
        assert refused.value.code == "api.not_found"
        with pytest.raises(SettingsInvalid):
            async with serving(served.context, port=port, runtime=tmp_path / "other"):
                pytest.fail("the port is taken")
        client.close()
    with pytest.raises(NotRunning):
        find(tmp_path)


def accepted(port: int) -> list[socket.socket]:
    """This process's ends of the connections to a port of its own."""
    ours = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0]
    ours = [each for each in ours if each.family is socket.AF_INET and each.getsockname()[1] == port]
    return [each for each in ours if not each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)]


async def test_small_answers_leave_at_once(served: Served, tmp_path: Path) -> None:
    async with serving(served.context, port=0, runtime=tmp_path) as port, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/health")).json() == {"ok": True}
        ends = accepted(port)
        assert ends and all(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in ends)


async def test_a_photo_that_was_sent_before_a_kill_is_gone_once_it_is_served_again(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "ai-popup-a1b2.photo"
    left.touch()
    os.utime(left, (0, 0))
    async with serving(served.context, port=0, runtime=tmp_path):
        assert not left.exists()
