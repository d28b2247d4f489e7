"""How the API is served."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from agent.api.server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from tests.unit.api.conftest import Served


def accepted(port: int) -> list[socket.socket]:
    """This process's ends of the connections to a port of its own."""
    ours = [each for each in gc.get_objects() if isinstance(each, socket.socket) and each.fileno() >= 0]
    ours = [each for each in ours if each.family is socket.AF_INET and each.getsockname()[1] == port]
    return [each for each in ours if not each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)]


async def small(scope: Scope, receive: Receive, send: Send) -> None:
    """An application with one answer, in the place of ours, which takes long to make."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"small"})


async def test_small_answers_leave_at_once(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.api.server.create_app", lambda context, port: small)
    async with serving(served.context, port=0, runtime=tmp_path) as port, httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://127.0.0.1:{port}/")).content == b"small"
        ends = accepted(port)
        assert ends and all(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in ends)
