"""A child answers line by line; one that hangs, ends or talks rubbish costs one request and is gone."""

import asyncio
import contextlib
import os
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio

from agent.features.updates.updater import this_platform
from agent.infrastructure.core.json_child import Child, ChildExited, ChildProtocolError, ChildTimeout, Message, environment, own_command

Start = Callable[[str], Awaitable[Child]]
# `r` is each request.
LOOP = """
import sys, json, os, time
def say(m): print(json.dumps(m), flush=True)
for line in sys.stdin:
    r = json.loads(line)
    {}
"""


@pytest_asyncio.fixture
async def start() -> AsyncIterator[Start]:
    children: list[Child] = []

    async def started(behaviour: str) -> Child:
        children.append(await Child.start([sys.executable, "-I", "-S", "-c", LOOP.format(behaviour)]))
        return children[-1]

    yield started
    for child in children:
        await child.kill()


async def test_requests_are_answered_in_turn(start: Start) -> None:
    child = await start("say({'twice': r['n'] * 2})")
    answers = await asyncio.gather(*(child.request({"n": number}, timeout=20) for number in range(5)))
    assert [answer["twice"] for answer in answers] == [0, 2, 4, 6, 8]
    await child.stop()
    assert not child.alive


async def test_notices_come_beside_the_answers() -> None:
    notices: list[Message] = []
    code = LOOP.format("say({'notice': 'hidden'}); say({'ok': True})")
    child = await Child.start([sys.executable, "-I", "-S", "-c", code], on_notice=notices.append)
    assert await child.request({}, timeout=20) == {"ok": True} and notices == [{"notice": "hidden"}]
    await child.kill()


async def test_one_that_ends_says_how(start: Start) -> None:
    child = await start("os._exit(3)")
    with pytest.raises(ChildExited) as gone:
        await child.request({}, timeout=20)
    assert gone.value.exit_code == 3
    with pytest.raises(ChildExited):
        await child.request({}, timeout=20)


async def test_one_that_was_never_there_is_gone() -> None:
    with pytest.raises(ChildExited) as gone:
        await Child.start(["/no/such/program"])
    assert gone.value.exit_code is None


@pytest.mark.parametrize("rubbish", ["print('no json', flush=True)", "print('[1]', flush=True)", "print('[' * 100000, flush=True)"])
async def test_rubbish_ends_it(start: Start, rubbish: str) -> None:
    child = await start(rubbish)
    with pytest.raises(ChildProtocolError):
        await child.request({}, timeout=20)
    assert not child.alive


@pytest.mark.parametrize("part", ["[],", "{},", "1,"])
async def test_a_line_of_more_parts_than_any_answer_has_is_rubbish(start: Start, part: str) -> None:
    child = await start("print('{\"a\": [' + " + repr(part) + " * 2_100_000 + '1]}', flush=True)")
    with pytest.raises(ChildProtocolError):
        await child.request({}, timeout=60)
    assert not child.alive


async def test_a_picture_as_long_as_a_line_may_be_is_an_answer(start: Start) -> None:
    child = await start("say({'picture': 'A' * 50_000_000, 'many': [[1, 2]] * 500_000})")
    answer = await child.request({}, timeout=60)
    assert (len(answer["picture"]), len(answer["many"])) == (50_000_000, 500_000)


async def test_one_that_hangs_is_killed(start: Start) -> None:
    child = await start("time.sleep(60)")
    with pytest.raises(ChildTimeout):
        await child.request({}, timeout=0.05)
    assert not child.alive


async def test_a_request_that_is_given_up_ends_it_for_its_answer_would_be_taken_for_the_next(start: Start) -> None:
    child = await start("time.sleep(60)")
    asking = asyncio.create_task(child.request({}, timeout=60))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])
    assert asking.cancelled() and not child.alive


async def test_it_is_ended_by_force_if_it_does_not_heed_the_end_of_its_input() -> None:
    child = await Child.start([sys.executable, "-I", "-S", "-c", "import time; time.sleep(60)"])
    await child.stop(timeout=0.05)
    assert not child.alive


def test_a_child_gets_what_it_needs_of_the_environment_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("AI_POPUP_HOME", "/home")
    given = environment({"EXTRA": "1"})
    assert given["PATH"] == os.environ["PATH"] and given["EXTRA"] == "1"
    assert not {"GITHUB_TOKEN", "AI_POPUP_HOME"} & set(given)


def test_a_child_can_tell_what_kind_of_computer_windows_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESSOR_ARCHITECTURE", "AMD64")
    monkeypatch.delenv("PROCESSOR_ARCHITEW6432", raising=False)
    for name in set(os.environ) - set(environment(desktop=False)):
        monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "platform", "win32")
    # What `platform.machine` asks there; since Python 3.12 only where the system's own service does not answer.
    monkeypatch.setattr(platform, "machine", platform._get_machine_win32)  # type: ignore[attr-defined]
    assert this_platform() == "windows-x86_64"


def test_a_frozen_program_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_command("engine-worker")[0] == sys.executable and own_command("engine-worker")[-1] == "engine-worker"
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command("engine-worker") == [sys.executable, "engine-worker"]


async def test_time_in_which_the_computer_slept_does_not_count(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    real, slept = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + slept)
    child = await start("time.sleep(0.3); say({'ok': True})")
    asking = asyncio.create_task(child.request({}, timeout=30))
    await asyncio.sleep(0.1)
    slept = 3600.0
    assert await asking == {"ok": True}


async def test_a_program_that_ends_at_once_is_gone_however_soon_its_input_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    start = asyncio.create_subprocess_exec

    async def ended(*words: Any, **more: Any) -> asyncio.subprocess.Process:
        process = await start(*words, **more)
        assert process.stdin is not None
        await process.wait()
        process.stdin.close()
        with contextlib.suppress(OSError):
            await process.stdin.wait_closed()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", ended)
    child = await Child.start([sys.executable, "-S", "-c", ""])
    with pytest.raises(ChildExited):
        await child.request({"id": 1}, timeout=30)
