"""What a command does in its own process, and how it ends when the user presses Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from types import SimpleNamespace
from typing import Any

import pytest

from agent.cli.backend import AppHere
from agent.redaction.schemas import RedactRequest


async def _until_cancelled_twice(_: object) -> AsyncGenerator[int, None]:
    loop = asyncio.get_running_loop()
    try:
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    finally:
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)  # what is under way takes a while to end
    yield 0


@pytest.mark.skipif(os.name == "nt", reason="there a signal to oneself ends the process")
def test_ctrl_c_pressed_twice_interrupts_covering_like_once() -> None:
    async def run(*, watch: bool) -> None:
        await asyncio.sleep(60)

    copies = SimpleNamespace(redact=_until_cancelled_twice)
    prepared = asyncio.Event()
    prepared.set()
    app: Any = SimpleNamespace(run=run, prepared=prepared, redaction=SimpleNamespace(copies=copies))
    session: Any = SimpleNamespace(texts=None)
    with pytest.raises(KeyboardInterrupt), asyncio.Runner() as runner, AppHere(app, runner, session).running() as here:
        list(here.redact(RedactRequest(paths=("a.jpg",), out="safe")))
