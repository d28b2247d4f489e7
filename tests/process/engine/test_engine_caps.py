"""The engine's caps with real processes: memory, cores and priority, as the governor asks for them."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from agent.domain.errors import EngineMemory
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.settings import EngineSettings

# Says hello with the threads it was given, answers a match, and takes 80 MB more and long at an analysis.
FAKE = """
import sys, json, os, time
kept = []
for line in sys.stdin:
    r = json.loads(line)
    if r["op"] == "hello":
        body = {"device": "CPU", "precision": "t%d" % r["body"]["threads"], "pid": os.getpid()}
    elif r["op"] == "analyse":
        kept.append(b"x" * 80_000_000)
        time.sleep(30)
    else:
        body = True if r["op"] == "gallery" else []
    print(json.dumps({"id": r["id"], "body": body}), flush=True)
"""
TASK = Analyse(__file__, Recipe("centerface-2"))  # any file that can be opened


@pytest_asyncio.fixture
async def pool(tmp_path: Path) -> AsyncIterator[EnginePool]:
    made = EnginePool(
        EngineSettings(workers=2), {}, ComputeSetup(converted=tmp_path, cache=tmp_path), command=[sys.executable, "-S", "-c", FAKE]
    )
    yield made
    await made.close()


async def until_large(pool: EnginePool) -> int:
    """Wait until a task takes its memory; returns the process id."""
    for _ in range(500):
        for process in pool.stats():
            if process.memory > 80_000_000:
                return process.pid
        await asyncio.sleep(0.02)
    pytest.fail("no process grew")


async def test_a_task_that_takes_too_much_memory_is_ended_and_named(pool: EnginePool) -> None:
    task = asyncio.create_task(pool.analyse(TASK))
    pid = await until_large(pool)
    pool.replace(pid, limit=64, at_once=True)
    with pytest.raises(EngineMemory) as caught:
        await task
    assert caught.value.params["limit"] == 64
    assert int(caught.value.params["megabytes"]) > 64
    assert not psutil.pid_exists(pid) and pool.restarts == 1
    assert (await pool.hello()).pid != pid, "the next task has a process of its own"


async def test_an_idle_process_that_is_too_large_just_ends(pool: EnginePool) -> None:
    hello = await pool.hello()
    pool.replace(hello.pid, limit=64, at_once=False)
    assert (await pool.hello()).pid != hello.pid
    assert pool.restarts == 1


async def test_going_gently_is_one_process_with_one_thread_and_low_priority(pool: EnginePool) -> None:
    assert pool.size == 2
    usual = psutil.Process((await pool.hello()).pid).nice()
    pool.govern(one_core=True, low_priority=True)
    hello = await pool.hello()
    assert (pool.size, hello.precision) == (1, "t1")
    assert psutil.Process(hello.pid).nice() != usual
    pool.govern(one_core=False, low_priority=False)
    assert pool.size == 2
    assert psutil.Process((await pool.hello()).pid).nice() == usual


async def test_a_busy_machine_lowers_the_priority_of_what_runs_without_starting_it_anew(pool: EnginePool) -> None:
    hello = await pool.hello()
    usual = psutil.Process(hello.pid).nice()
    pool.govern(one_core=False, low_priority=True)
    assert (await pool.hello()).pid == hello.pid
    assert psutil.Process(hello.pid).nice() != usual


async def test_fewer_cores_than_processes_are_never_exceeded(pool: EnginePool) -> None:
    pool.reconfigure(EngineSettings(workers=4, max_cores=1))
    assert pool.size == 1
    assert (await pool.hello()).precision == "t1"
