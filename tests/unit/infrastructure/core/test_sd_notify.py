"""What systemd is told."""

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.infrastructure.core.sd_notify import keep_alive, sd_notify

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")


@pytest.fixture
def told() -> Iterator[tuple[socket.socket, str]]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        path = str(Path(folder) / "notify")
        told.bind(path)
        told.settimeout(60)
        yield told, path


def test_it_is_told_a_state(told: tuple[socket.socket, str]) -> None:
    sd_notify("READY=1", {"NOTIFY_SOCKET": told[1]})
    assert told[0].recv(100) == b"READY=1"


def test_without_a_supervisor_nothing_happens(tmp_path: Path) -> None:
    sd_notify("READY=1", {})
    sd_notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "gone")})


async def test_it_hears_that_the_loop_runs_as_long_as_it_wants(told: tuple[socket.socket, str]) -> None:
    environment = {"NOTIFY_SOCKET": told[1], "WATCHDOG_USEC": "20000"}
    alive = asyncio.create_task(keep_alive(environment))
    heard = [await asyncio.to_thread(told[0].recv, 100) for _ in range(2)]
    alive.cancel()
    assert heard == [b"WATCHDOG=1"] * 2
    for other in ({}, {**environment, "WATCHDOG_PID": str(os.getpid() + 1)}):
        await keep_alive(other)
