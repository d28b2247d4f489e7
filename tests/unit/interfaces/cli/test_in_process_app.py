"""What a command does in its own process, and how it ends when the user presses Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI

from agent.domain.errors import StoreBusy
from agent.features.redaction.schemas import RedactLine, RedactRequest
from agent.interfaces.cli.in_process_app import InProcessApplication
from agent.interfaces.cli.session import Application
from agent.interfaces.web.streaming import NdjsonResponse

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

REQUEST = RedactRequest(paths=("a.jpg",), out="safe")


def serving(lines: Callable[[], AsyncGenerator[RedactLine, None]], work: Callable[[], Awaitable[None]]) -> Callable[[], Application]:
    """An application that does nothing but answer with these lines."""
    api = FastAPI()

    @api.post("/api/redact")
    async def redact(_: RedactRequest) -> NdjsonResponse:
        return NdjsonResponse(lines())

    async def works() -> None:
        await work()

    def make() -> Application:
        prepared = asyncio.Event()
        prepared.set()
        return Application(api, "token", 1, works, prepared)

    return make


async def resting() -> None:
    await asyncio.Event().wait()


async def until_cancelled_twice() -> AsyncGenerator[RedactLine, None]:
    loop = asyncio.get_running_loop()
    try:
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(60)
    finally:
        loop.call_soon(os.kill, os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)  # what is under way takes a while to end
    yield RedactLine(total=0)


@pytest.mark.skipif(os.name == "nt", reason="there a signal to oneself ends the process")
def test_ctrl_c_pressed_twice_interrupts_covering_like_once() -> None:
    make = serving(until_cancelled_twice, resting)
    with pytest.raises(KeyboardInterrupt), asyncio.Runner() as runner, InProcessApplication(runner).running(make) as here:
        list(here.lines("/api/redact", RedactLine, REQUEST))


def test_lines_arrive_one_by_one_and_end_with_their_listener() -> None:
    told: list[str] = []

    async def lines() -> AsyncGenerator[RedactLine, None]:
        try:
            for number in range(100):
                told.append(f"made {number}")
                yield RedactLine(total=number)
        finally:
            told.append("ended")

    with asyncio.Runner() as runner, InProcessApplication(runner).running(serving(lines, resting)) as here:
        got = here.lines("/api/redact", RedactLine, REQUEST)
        assert next(got).total == 0 and len(told) < 5
        got.close()  # type: ignore[attr-defined]
        assert told[-1] == "ended" and len(told) < 6


def test_what_ends_the_work_beside_reaches_the_command() -> None:
    begun = asyncio.Event()

    async def lines() -> AsyncGenerator[RedactLine, None]:
        begun.set()
        await resting()
        yield RedactLine(total=0)

    async def fails() -> None:
        await begun.wait()
        raise StoreBusy

    with pytest.raises(StoreBusy), asyncio.Runner() as runner, InProcessApplication(runner).running(serving(lines, fails)) as here:
        list(here.lines("/api/redact", RedactLine, REQUEST))
