"""The library is read whole at the start and every day; what is found is told, until it is otherwise."""

import asyncio
from collections.abc import Callable

import pytest

from agent.domain.errors import StoreBusy, StoreDamaged
from agent.features.library.integrity_check import IntegrityCheck


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came")


async def test_damage_is_told_until_a_later_look_finds_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.integrity_check.EVERY_S", 0.01)
    monkeypatch.setattr("agent.features.library.integrity_check.RETRY_S", 0.01)
    looks: list[bool | Exception] = [True, StoreBusy(), False, False, True]
    told: list[bool] = []

    def look() -> bool:
        found = looks.pop(0) if looks else True
        if isinstance(found, Exception):
            raise found
        return found

    check = IntegrityCheck(look)
    check.problem.subscribe(lambda problem: told.append(isinstance(problem, StoreDamaged)))
    running = asyncio.create_task(check.run())
    await until(lambda: not looks and check.problem.value is None)
    running.cancel()
    assert told == [True, False]
