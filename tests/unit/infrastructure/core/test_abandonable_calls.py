"""A call that never returns delays nothing else, neither while the program runs nor when it ends."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from agent.infrastructure.core import abandonable_calls as aside_module
from agent.infrastructure.core.abandonable_calls import call_with_timeout, close_if_cancelled


@pytest.fixture
def dead() -> Iterator[threading.Event]:
    """A drive that answers when it is set."""
    answers = threading.Event()
    yield answers
    answers.set()


async def test_the_answer_and_what_is_raised_come_back() -> None:
    assert await call_with_timeout(lambda: 5, 10) == 5
    with pytest.raises(FileNotFoundError):
        await call_with_timeout(lambda: open("/nowhere/at/all"), 10)  # noqa: PTH123, SIM115


def test_what_never_answers_keeps_no_thread_of_the_loop_and_no_loop_from_its_end(dead: threading.Event) -> None:
    async def ask() -> int:
        for _ in range(aside_module._MOST + 1):  # more than the loop has threads for
            with pytest.raises(TimeoutError):
                await call_with_timeout(lambda: dead.wait(60), 0.001)
        return await asyncio.to_thread(lambda: 5)

    began = time.monotonic()
    assert asyncio.run(ask()) == 5
    assert time.monotonic() - began < 30


async def test_beyond_so_many_nothing_more_is_asked_until_some_answered(dead: threading.Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aside_module, "_free", threading.BoundedSemaphore(1))
    asked: list[int] = []
    with pytest.raises(TimeoutError):
        await call_with_timeout(lambda: dead.wait(60), 0.001)
    with pytest.raises(TimeoutError):
        await call_with_timeout(lambda: asked.append(1), 0.05)
    assert not asked
    waiting = asyncio.create_task(call_with_timeout(lambda: asked.append(2), 60))
    await asyncio.sleep(0)
    dead.set()
    await waiting
    assert asked == [2]


async def test_an_answer_that_nobody_waits_for_any_more_is_let_go_of(dead: threading.Event) -> None:
    wrong: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: wrong.append(told))
    with pytest.raises(TimeoutError):
        await call_with_timeout(lambda: dead.wait(60), 0.001)
    late = [thread for thread in threading.enumerate() if thread.name == "aside"]
    dead.set()
    for thread in late:
        await asyncio.to_thread(thread.join, 30)
    await asyncio.sleep(0)
    assert late and not wrong


@pytest.fixture
def slow_drive(dead: threading.Event, tmp_path: Path) -> tuple[Callable[[], BinaryIO], list[BinaryIO]]:
    """What opens a file once the drive answers, and all files that it opened."""
    opened: list[BinaryIO] = []

    def open_file() -> BinaryIO:
        dead.wait(60)
        opened.append((tmp_path / "photo.jpg").open("w+b"))
        return opened[0]

    return open_file, opened


async def test_a_file_that_opens_in_time_is_open(dead: threading.Event, slow_drive: tuple[Callable[[], BinaryIO], list[BinaryIO]]) -> None:
    open_file, _ = slow_drive
    dead.set()
    with await close_if_cancelled(asyncio.to_thread(open_file)) as file:
        assert not file.closed


async def test_a_file_that_opens_after_its_task_was_cancelled_is_closed(
    dead: threading.Event, slow_drive: tuple[Callable[[], BinaryIO], list[BinaryIO]]
) -> None:
    open_file, opened = slow_drive
    asked = asyncio.create_task(close_if_cancelled(asyncio.to_thread(open_file)))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    dead.set()
    async with asyncio.timeout(60):
        while not (opened and opened[0].closed):  # noqa: ASYNC110 - a thread opens it, and no event tells of a closed file
            await asyncio.sleep(0.001)
