"""What is done about a process that takes too much memory."""

import asyncio
import os
import sys
from dataclasses import dataclass, field

import pytest

from agent.domain.errors import EngineStartFailed, ProcessMemory
from agent.inference.engine.worker_slot import memory_of
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.memory_guard import MB, WARN_FOR_S, Guarded, MemoryGuard, ProcessKind
from agent.infrastructure.core.program_settings import MemorySettings

# Takes as many bytes as each line says, and answers.
GROWING = "import sys\nheld = []\nfor line in sys.stdin:\n held.append(b'x' * int(line)); print(flush=True)"


@dataclass
class Desk:
    """A guard of one process of a kind, whose memory the test says. It can be recovered unless it is `busy`."""

    kind: ProcessKind = ProcessKind.MATCHER
    settings: MemorySettings = field(default_factory=lambda: MemorySettings(matcher_mb=100))
    megabytes: int = 50
    busy: bool = False
    failing: bool = False
    now: float = 0.0
    recovered: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        guarded = Guarded(self.kind, lambda: 1 if self.megabytes else None, lambda _: self.megabytes * MB, self.recover)
        self.guard = MemoryGuard(lambda: self.settings, lambda: self.now, [guarded])

    async def recover(self) -> bool:
        if self.failing:
            raise EngineStartFailed
        if self.busy:
            return False
        self.recovered.append(self.now)
        return True

    async def look(self, seconds: float = 10) -> ProcessMemory | None:
        self.now += seconds
        await self.guard.look()
        return self.guard.warning.value


async def test_a_process_below_its_threshold_is_left_alone() -> None:
    desk = Desk()
    assert await desk.look() is None and desk.recovered == []
    [reading] = desk.guard.readings
    assert (reading.memory, reading.limit, reading.is_over) == (50 * MB, 100 * MB, False)


async def test_one_that_does_not_run_is_not_measured() -> None:
    desk = Desk(megabytes=0)
    assert await desk.look() is None and desk.guard.readings == ()


async def test_one_that_grows_is_recovered_and_the_user_is_told_for_a_while() -> None:
    desk = Desk(megabytes=150)
    warning = await desk.look()
    assert warning is not None and warning.params == {"matcher": 1, "kind": "matcher", "megabytes": 150, "limit": 100}
    assert desk.recovered == [10]
    desk.megabytes = 20
    assert await desk.look() is warning
    assert await desk.look(WARN_FOR_S) is None


async def test_one_that_is_busy_is_recovered_when_it_no_longer_is() -> None:
    desk = Desk(megabytes=150, busy=True)
    await desk.look()
    desk.busy = False
    await desk.look()
    assert desk.recovered == [20] and desk.guard.recoveries == 1


async def test_one_that_is_as_large_again_at_once_is_not_restarted_over_and_over() -> None:
    desk = Desk(megabytes=150)
    for _ in range(61):
        await desk.look()
    assert desk.recovered == [10, 610]


async def test_another_threshold_counts_from_the_next_look_on_and_0_is_none() -> None:
    desk = Desk(megabytes=150, settings=MemorySettings(matcher_mb=0))
    assert await desk.look() is None
    desk.settings = MemorySettings(matcher_mb=149)
    assert await desk.look() is not None


async def test_a_recovery_that_fails_is_tried_again() -> None:
    desk = Desk(megabytes=150, failing=True)
    await desk.look()
    desk.failing = False
    await desk.look()
    assert desk.recovered == [20]


async def test_a_server_that_is_too_large_from_its_start_on_does_not_end_at_once() -> None:
    desk = Desk(kind=ProcessKind.SERVER, megabytes=150, settings=MemorySettings(server_mb=100))
    running = asyncio.create_task(desk.guard.run())
    while desk.guard.warning.value is None:  # noqa: ASYNC110  # it looks in a thread
        await asyncio.sleep(0)
    running.cancel()
    assert desk.recovered == []
    await desk.look(600)
    assert desk.recovered == [600]


async def test_what_it_holds_is_allowed_besides() -> None:
    held = Guarded(ProcessKind.MATCHER, os.getpid, lambda _: 150 * MB, Desk().recover, lambda: 60 * MB)
    guard = MemoryGuard(lambda: MemorySettings(matcher_mb=100), lambda: 0.0, [held])
    await guard.look()
    assert guard.warning.value is None


@pytest.mark.parametrize("kind", list(ProcessKind))
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_kind_has_a_cause_and_a_remedy_of_its_own(kind: ProcessKind, language: str) -> None:
    texts, error = Texts(language), ProcessMemory(**{kind: 1}, kind=kind, megabytes=1500, limit=1000)
    assert "1,500" in texts.cause(error) and f"memory.{kind}_mb" in texts.remedy(error)
    assert texts.cause(error) != texts.cause(ProcessMemory(megabytes=1500, limit=1000))


async def test_a_process_that_really_grows_is_noticed() -> None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-S", "-c", GROWING, stdin=pipe, stdout=pipe)
    assert process.stdin is not None and process.stdout is not None

    async def end() -> bool:
        process.kill()
        await process.wait()
        return True

    guarded = Guarded(ProcessKind.SCREEN, lambda: process.pid if process.returncode is None else None, memory_of, end)
    guard = MemoryGuard(lambda: MemorySettings(screen_mb=100), lambda: 0.0, [guarded])
    await guard.look()
    assert guard.warning.value is None
    process.stdin.write(b"150000000\n")
    await process.stdout.readline()
    await guard.look()
    assert process.returncode is not None and guard.warning.value is not None
    await guard.look()
    assert guard.readings == ()
