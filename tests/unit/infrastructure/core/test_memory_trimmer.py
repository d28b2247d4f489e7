"""Memory is given back once for each time of calm, and only then."""

import asyncio

from structlog.testing import capture_logs

from agent.infrastructure.core.memory_trimmer import CALM, MemoryTrimmer, trim_while_busy


class Calm:
    """What is looked at, and what was given back in which order."""

    def __init__(self) -> None:
        self.uses = 0
        self.done: list[str] = []
        self.rest = MemoryTrimmer(lambda: self.uses, (lambda: self.done.append("database"), lambda: self.done.append("heap")))
        self.rest.also(lambda: self.done.append("answers"))

    async def look(self, times: int) -> list[str]:
        self.done.clear()
        for _ in range(times):
            await self.rest.look()
        return self.done


async def test_what_is_held_is_given_back_after_a_while_without_use() -> None:
    calm = Calm()
    assert await calm.look(CALM) == []
    assert await calm.look(1) == ["answers", "database", "heap"]


async def test_it_is_given_back_only_once_until_the_library_is_used_again() -> None:
    calm = Calm()
    await calm.look(CALM + 1)
    assert await calm.look(10) == []
    calm.uses += 1
    assert await calm.look(CALM) == []
    assert await calm.look(1) == ["answers", "database", "heap"]


async def test_what_was_deleted_is_given_back_at_once() -> None:
    calm = Calm()
    await calm.rest.now()
    assert calm.done == ["answers", "database", "heap"]


async def test_while_the_library_is_used_nothing_is_given_back() -> None:
    calm = Calm()
    for _ in range(10):
        calm.uses += 1
        assert await calm.look(1) == []


async def test_a_busy_process_gives_free_memory_back_again_and_again() -> None:
    enough, done = asyncio.Event(), list[None]()
    loop = asyncio.get_running_loop()

    def release() -> None:
        done.append(None)
        if len(done) == 3:
            loop.call_soon_threadsafe(enough.set)

    trimming = asyncio.create_task(trim_while_busy(release, every_s=0.001))
    await asyncio.wait_for(enough.wait(), 10)
    trimming.cancel()


async def test_memory_that_can_not_be_given_back_ends_nothing_and_is_tried_at_the_next_calm() -> None:
    tries: list[None] = []

    def fail() -> None:
        tries.append(None)
        raise RuntimeError

    rest = MemoryTrimmer(lambda: len(tries), (fail,))
    with capture_logs() as lines:
        for _ in range(2 * (CALM + 1)):
            await rest.look()
    assert len(tries) == 2
    assert [line["event"] for line in lines] == ["rest.failed"] * 2
