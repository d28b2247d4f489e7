"""A question that hangs takes one thread, however often it is asked."""

import asyncio
import threading

import pytest

from agent.core.one_call import OneCall


def test_a_question_that_hangs_is_not_asked_twice_and_answers_in_the_end() -> None:
    asked, may = list[int](), threading.Event()

    def ask() -> int:
        asked.append(1)
        may.wait(60)
        return len(asked)

    call = OneCall(ask, 0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            call.get()
    assert len(asked) == 1
    may.set()
    assert OneCall(ask, 60).get() == 2


async def test_waiting_in_a_loop_leaves_the_question_running() -> None:
    asked, may = list[int](), threading.Event()

    def ask() -> int:
        asked.append(1)
        may.wait(60)
        return 7

    call = OneCall(ask, 0.01)
    with pytest.raises(TimeoutError):
        await call.wait()
    may.set()
    async with asyncio.timeout(60):
        while True:  # the same question ends, or a new one is answered at once
            try:
                assert await call.wait() == 7
                break
            except TimeoutError:
                continue
    assert len(asked) <= 2


def test_an_error_is_the_asker_s() -> None:
    def ask() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        OneCall(ask, 60).get()
