"""What this process does about its own memory."""

import asyncio
import os
from pathlib import Path

import pytest
import structlog

from agent.app.memory_limits import WorkerMemory, guarded_agent, guarded_service
from agent.inference.engine.monitor import EngineProcess, NoEngine
from agent.inference.engine.worker_slot import memory_of
from agent.infrastructure.core import background
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.memory_guard import MB, Guarded, MemoryGuard, ProcessKind
from agent.infrastructure.core.program_settings import MemorySettings


async def test_an_agent_that_grows_frees_what_it_only_caches() -> None:
    limit, cache = MemorySettings(agent_mb=memory_of(os.getpid()) // MB + 50), list[bytes]()

    async def trim() -> None:
        cache.clear()

    guard = MemoryGuard(lambda: limit, lambda: 0.0, [guarded_agent(trim)])
    await guard.look()
    assert guard.warning.value is None
    cache.append(b"x" * 100 * MB)
    await guard.look()
    assert cache == [] and guard.warning.value is not None
    assert guard.warning.value.params["kind"] == "agent"


@pytest.mark.parametrize(("supervised", "done"), [(True, ["end"]), (False, ["trim"])])
async def test_a_server_ends_only_if_something_starts_it_again(*, supervised: bool, done: list[str]) -> None:
    found = list[str]()

    async def trim() -> None:
        found.append("trim")

    guarded = guarded_service(ProcessKind.SERVER, trim, lambda: found.append("end"), supervised=supervised)
    await MemoryGuard(lambda: MemorySettings(server_mb=1), lambda: 0.0, [guarded]).look()
    assert found == done


class LargeEngine(NoEngine):
    """Two processes, of which the second is too large."""

    size = 2

    def __init__(self) -> None:
        self.replaced = asyncio.Event()
        self.pid = 0

    def stats(self) -> list[EngineProcess]:
        return [EngineProcess(1, 300 * MB, "CPU", "f32"), EngineProcess(2, 900 * MB, "CPU", "f32")]

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None:
        self.pid = pid
        self.replaced.set()


async def test_a_workers_engine_keeps_to_its_limit(tmp_path: Path) -> None:
    file, engine = SettingsFile(tmp_path / "settings.toml", environ={}), LargeEngine()
    file.put("engine.max_memory_mb", 1000)
    works = [asyncio.create_task(each) for each in WorkerMemory(file, asyncio.Event(), supervised=True).works(engine)]
    await engine.replaced.wait()
    assert engine.pid == 2
    for work in works:
        work.cancel()
    await asyncio.gather(*works, return_exceptions=True)


async def test_a_workers_guard_that_fails_says_so_and_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "AGAIN_S", 0.0)
    file, failures, again = SettingsFile(tmp_path / "settings.toml", environ={}), [OSError("no /proc")], asyncio.Event()
    worker = WorkerMemory(file, asyncio.Event(), supervised=True)

    def measure(_: int) -> int:
        if failures:
            raise failures.pop()
        return MB

    async def recover() -> bool:
        return True

    def looked() -> int:
        again.set()
        return 0

    worker.guard.also(Guarded(ProcessKind.MATCHER, os.getpid, measure, recover, looked))
    with structlog.testing.capture_logs() as logged:
        works = [asyncio.create_task(each) for each in worker.works(NoEngine())]
        async with asyncio.timeout(60):
            await again.wait()
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)
    told = [(line["log_level"], line["work"], line["code"]) for line in logged if line["event"] == "work.failed"]
    assert told == [("error", "memory", "agent.unexpected")]


@pytest.mark.parametrize("supervised", [True, False])
async def test_a_worker_that_grows_drains_if_something_starts_it_again(tmp_path: Path, *, supervised: bool) -> None:
    file, stop = SettingsFile(tmp_path / "settings.toml", environ={}), asyncio.Event()
    file.put("memory.worker_mb", memory_of(os.getpid()) // MB + 50)
    worker = WorkerMemory(file, stop, supervised=supervised)
    await worker.guard.look()
    assert not stop.is_set()
    held = b"x" * 100 * MB
    await worker.guard.look()
    assert (stop.is_set(), worker.starts_again) == (supervised, supervised) and worker.guard.warning.value is not None
    del held
