"""A thread that waits for ever keeps neither a loop nor a process from its end."""

import asyncio
import subprocess
import sys
import threading

import pytest

from agent.infrastructure.core.process_exit import loop_threads, short_turns

HANGS = """
import asyncio, sys, threading
from agent.infrastructure.core import process_exit
process_exit.END_S = 0.1

async def work():
    with process_exit.loop_threads(asyncio.get_running_loop()):
        asyncio.ensure_future(asyncio.to_thread(threading.Event().wait))
        await asyncio.sleep(0.1)

asyncio.run(work())
print("told")
sys.exit(process_exit.leave(3))
"""


def test_a_process_ends_with_its_exit_code_and_all_it_printed_though_a_thread_hangs() -> None:
    ended = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=100, check=False)
    assert (ended.returncode, ended.stdout.strip(), ended.stderr) == (3, "told", "")


def test_threads_that_end_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.infrastructure.core.process_exit.END_S", 60)
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def write() -> None:
        begun.set()
        assert go_on.wait(60)
        done.append(1)

    async def work() -> None:
        with loop_threads(asyncio.get_running_loop()):
            writing = asyncio.ensure_future(asyncio.to_thread(write))
            await asyncio.to_thread(begun.wait, 60)
            writing.cancel()
            threading.Timer(0.05, go_on.set).start()

    asyncio.run(work())
    assert done == [1]


def test_turns_are_short_where_many_threads_answer() -> None:
    usual = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)  # Python's own: a server in this process may have changed it
        short_turns()
        assert sys.getswitchinterval() == pytest.approx(0.0005)
    finally:
        sys.setswitchinterval(usual)
