"""How the API is served."""

from __future__ import annotations

import gc
import socket
from typing import TYPE_CHECKING

import httpx

from agent.api.server import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.api.conftest import Served


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
