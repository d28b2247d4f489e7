"""Work of the leader goes on only while this process leads."""

import asyncio

from agent.infrastructure.core.leadership import LeadershipState


async def test_it_begins_with_the_lead_ends_with_it_and_begins_anew() -> None:
    leadership, begun, ended = LeadershipState(), asyncio.Queue[int](), asyncio.Queue[int]()
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        await begun.put(times)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await ended.put(times)

    doing = asyncio.create_task(leadership.during(work))
    for time in (1, 2):
        leadership.set(True)
        assert await begun.get() == time
        leadership.set(False)
        assert await ended.get() == time
    assert begun.empty()
    doing.cancel()
    await asyncio.wait({doing})


async def test_what_ends_by_itself_is_not_begun_again_and_its_error_is_told() -> None:
    leadership = LeadershipState()
    leadership.set(True)

    async def fails() -> None:
        raise ValueError("x")

    async def over() -> None:
        pass

    await leadership.during(over)
    [failed] = await asyncio.gather(leadership.during(fails), return_exceptions=True)
    assert isinstance(failed, ValueError)
