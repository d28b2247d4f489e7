"""Slow answers are shared by those who ask before they are begun."""

import asyncio
import threading

import pytest

from agent.infrastructure.core.coalescing import RequestCoalescer, SingleFlight


class Slow:
    """Computes when it is let; counts how often, and how many at a time."""

    def __init__(self) -> None:
        self.let = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.count = 0

    def make(self) -> int:
        self.count += 1
        mine = self.count
        self.begun.release()
        assert self.let.acquire(timeout=10)
        return mine

    async def has_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, timeout=10)


async def asked(calls: RequestCoalescer[int], slow: Slow, key: str = "a") -> asyncio.Task[int]:
    task = asyncio.create_task(calls.get(key, slow.make))
    await asyncio.sleep(0)
    return task


async def test_those_who_wait_for_a_turn_share_one_answer_and_it_is_begun_after_they_asked() -> None:
    calls, slow = RequestCoalescer[int](1), Slow()
    first = await asked(calls, slow)
    await slow.has_begun()
    later = [await asked(calls, slow) for _ in range(50)]
    slow.let.release(2)
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 50
    assert slow.count == 2


async def test_other_questions_wait_for_a_slot() -> None:
    calls, slow = RequestCoalescer[int](2), Slow()
    tasks = [await asked(calls, slow, key) for key in "abc"]
    await slow.has_begun()
    await slow.has_begun()
    assert slow.count == 2
    slow.let.release(3)
    assert sorted(await asyncio.gather(*tasks)) == [1, 2, 3]


async def test_who_leaves_takes_no_answer_from_the_others() -> None:
    calls, slow = RequestCoalescer[int](1), Slow()
    before = await asked(calls, slow)
    await slow.has_begun()
    one, other = await asked(calls, slow), await asked(calls, slow)
    one.cancel()
    slow.let.release(2)
    assert (await before, await other) == (1, 2)
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_an_error_reaches_all_who_asked_and_the_next_question_is_asked_anew() -> None:
    calls, count = RequestCoalescer[int](1), 0

    def fail() -> int:
        nonlocal count
        count += 1
        raise OSError

    answers = await asyncio.gather(*(calls.get("a", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in answers] == [OSError] * 3 and count == 1
    assert await calls.get("a", lambda: 5) == 5


async def test_the_next_one_waits_for_the_pause_but_the_answer_does_not() -> None:
    calls = RequestCoalescer[int](1, rest=1e9)
    assert await calls.get("a", lambda: 1) == 1
    next_one = asyncio.create_task(calls.get("a", lambda: 2))
    done, _ = await asyncio.wait({next_one}, timeout=0.05)
    assert not done
    next_one.cancel()


def test_a_question_that_hangs_is_not_asked_twice_and_answers_in_the_end() -> None:
    asked, may = list[int](), threading.Event()

    def ask() -> int:
        asked.append(1)
        may.wait(60)
        return len(asked)

    call = SingleFlight(ask, 0.01)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            call.get()
    assert len(asked) == 1
    may.set()
    assert SingleFlight(ask, 60).get() == 2


async def test_waiting_in_a_loop_leaves_the_question_running() -> None:
    asked, may = list[int](), threading.Event()

    def ask() -> int:
        asked.append(1)
        may.wait(60)
        return 7

    call = SingleFlight(ask, 0.1)  # more than a tick of the loop's clock, which is 16 ms on Windows
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
        SingleFlight(ask, 60).get()
