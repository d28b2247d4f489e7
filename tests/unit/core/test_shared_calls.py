"""Slow answers are shared by those who ask before they are begun."""

import asyncio
import threading

import pytest

from agent.core.shared_calls import SharedCalls


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


async def asked(calls: SharedCalls[int], slow: Slow, key: str = "a") -> asyncio.Task[int]:
    task = asyncio.create_task(calls.get(key, slow.make))
    await asyncio.sleep(0)
    return task


async def test_those_who_wait_for_a_turn_share_one_answer_and_it_is_begun_after_they_asked() -> None:
    calls, slow = SharedCalls[int](1), Slow()
    first = await asked(calls, slow)
    await slow.has_begun()
    later = [await asked(calls, slow) for _ in range(50)]
    slow.let.release(2)
    assert await first == 1
    assert await asyncio.gather(*later) == [2] * 50
    assert slow.count == 2


async def test_other_questions_wait_for_a_slot() -> None:
    calls, slow = SharedCalls[int](2), Slow()
    tasks = [await asked(calls, slow, key) for key in "abc"]
    await slow.has_begun()
    await slow.has_begun()
    assert slow.count == 2
    slow.let.release(3)
    assert sorted(await asyncio.gather(*tasks)) == [1, 2, 3]


async def test_who_leaves_takes_no_answer_from_the_others() -> None:
    calls, slow = SharedCalls[int](1), Slow()
    before = await asked(calls, slow)
    await slow.has_begun()
    one, other = await asked(calls, slow), await asked(calls, slow)
    one.cancel()
    slow.let.release(2)
    assert (await before, await other) == (1, 2)
    with pytest.raises(asyncio.CancelledError):
        await one


async def test_an_error_reaches_all_who_asked_and_the_next_question_is_asked_anew() -> None:
    calls, count = SharedCalls[int](1), 0

    def fail() -> int:
        nonlocal count
        count += 1
        raise OSError

    answers = await asyncio.gather(*(calls.get("a", fail) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in answers] == [OSError] * 3 and count == 1
    assert await calls.get("a", lambda: 5) == 5


async def test_the_next_one_waits_for_the_pause_but_the_answer_does_not() -> None:
    calls = SharedCalls[int](1, rest=1e9)
    assert await calls.get("a", lambda: 1) == 1
    next_one = asyncio.create_task(calls.get("a", lambda: 2))
    done, _ = await asyncio.wait({next_one}, timeout=0.05)
    assert not done
    next_one.cancel()
