"""Nothing of a worker's connections outlives it."""

import asyncio
import socket
import sys

import pytest
from procrastinate import App

from agent.server.workers.worker import connected, unopened

# As Python does when a loop ends: each task is cancelled once, and waited for without limit.
LIMIT_S = 60.0


async def opening(app: App, address: str) -> None:
    async with connected(app, address):
        pytest.fail("nobody answered")


@pytest.mark.skipif(sys.platform == "win32", reason="psycopg needs another event loop there")
async def test_a_loop_ends_though_the_database_did_not_answer_when_the_worker_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setblocking(False)
        port = deaf.getsockname()[1]
        address = f"postgresql://nobody@127.0.0.1:{port}/nothing"
        app = unopened(address)
        task = asyncio.create_task(opening(app, address))
        caller, _ = await asyncio.get_running_loop().sock_accept(deaf)
        with caller:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled()
            left = asyncio.all_tasks() - {asyncio.current_task()}
            for each in left:
                each.cancel()
            if left:
                _, pending = await asyncio.wait(left, timeout=LIMIT_S)
                assert not pending
