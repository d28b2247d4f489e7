"""Work in the background is kept while it runs; what fails is logged and goes on."""

import asyncio

import pytest
import structlog

from agent.domain.errors import EngineStartFailed
from agent.infrastructure.core import background


async def test_what_fails_is_logged_with_its_code_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "AGAIN_S", 0.0)
    failures: list[Exception] = [ZeroDivisionError(), EngineStartFailed()]

    async def run() -> None:
        if failures:
            raise failures.pop(0)

    with structlog.testing.capture_logs() as logged:
        await background.run_supervised("memory", run)
    assert failures == []
    assert [(line["event"], line["work"], line["code"], line["log_level"]) for line in logged] == [
        ("work.failed", "memory", "agent.unexpected", "error"),
        ("work.failed", "memory", "engine.start_failed", "error"),
    ]


async def test_a_task_is_kept_while_it_runs_and_its_failure_is_logged() -> None:
    tasks = background.BackgroundTasks()

    async def fail() -> None:
        raise EngineStartFailed

    with structlog.testing.capture_logs() as logged:
        task = tasks.start(fail(), event="engine.not_warmed")
        assert tasks == {task}
        await task
    await asyncio.sleep(0)
    assert tasks == set()
    assert [(line["event"], line["code"]) for line in logged] == [("engine.not_warmed", "engine.start_failed")]


async def test_a_step_that_fails_is_logged_and_the_next_one_tries_again() -> None:
    outcomes: list[type[Exception]] = [EngineStartFailed, EngineStartFailed, ZeroDivisionError]

    async def step() -> None:
        raise outcomes.pop(0)

    with structlog.testing.capture_logs() as logged, pytest.raises(ZeroDivisionError):
        await background.run_periodically(step, lambda: 0.0, event="engine.not_looked")
    assert [(line["event"], line["code"]) for line in logged] == [("engine.not_looked", "engine.start_failed")] * 2


async def test_all_have_left_though_one_ended_just_now_and_another_begins_meanwhile() -> None:
    tasks, told = background.BackgroundTasks(), list[str]()

    async def last() -> None:
        told.append("last")

    async def first() -> None:
        tasks.start(last())

    task = tasks.start(first())
    await asyncio.sleep(0)
    assert task.done() and task in tasks  # it leaves at the loop's next turn
    await tasks.ended()
    assert tasks == set() and told == ["last"]
