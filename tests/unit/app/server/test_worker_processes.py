"""A server's worker processes: started again when they end, and asked to drain at the end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.app.server import worker_processes
from agent.app.server.worker_processes import WorkerProcesses

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")
# Notes its start; then ends at once, or waits for a signal and notes that.
WORKER = """
import pathlib, signal, sys
name, folder, kind = sys.argv[1:]
note = lambda word: (pathlib.Path(folder) / f"{name}.{len(list(pathlib.Path(folder).iterdir()))}.{word}").touch()
signal.signal(signal.SIGTERM, lambda *_: (note("asked"), sys.exit(0)))
note("started")
if kind == "ends":
    sys.exit(3)
while True:
    signal.pause()
"""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_processes, "_FIRST_S", 0.01)
    monkeypatch.setattr(worker_processes, "_LONGEST_S", 0.02)


def command(folder: Path, kind: str) -> Callable[[str], list[str]]:
    return lambda name: [sys.executable, "-c", WORKER, name, str(folder), kind]


def notes(folder: Path, word: str) -> list[str]:
    return sorted(path.name.partition(".")[0] for path in folder.iterdir() if path.name.endswith(word))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - other processes do it
            await asyncio.sleep(0.01)


async def running(workers: WorkerProcesses, meanwhile: Awaitable[None]) -> None:
    async with asyncio.timeout(100):
        task = asyncio.create_task(workers.run())
        await meanwhile
        workers.end()
        await task


async def test_each_is_started_and_asked_to_end(tmp_path: Path) -> None:
    workers = WorkerProcesses(2, command(tmp_path, "waits"), {})
    await running(workers, until(lambda: len(notes(tmp_path, "started")) == 2))
    assert notes(tmp_path, "started") == notes(tmp_path, "asked") == ["worker-1", "worker-2"]


async def test_one_that_ends_is_started_again(tmp_path: Path) -> None:
    workers = WorkerProcesses(1, command(tmp_path, "ends"), {})
    await running(workers, until(lambda: len(notes(tmp_path, "started")) >= 3))
    assert set(notes(tmp_path, "started")) == {"worker-1"}


async def test_none_is_left_when_the_server_gives_up_waiting(tmp_path: Path) -> None:
    workers = WorkerProcesses(1, command(tmp_path, "waits"), {})
    task = asyncio.create_task(workers.run())
    await until(lambda: len(notes(tmp_path, "started")) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert notes(tmp_path, "asked") == []
