"""A tool is waited for, and never outlives the wait, whatever ends it."""

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from agent.app.program_swap import health_check
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.subprocesses import Stop, SubprocessStopped, answer_of, run_subprocess, with_tools

# Starts a process of its own, writes down the ids of both, and sleeps.
PARENT = """
import os, pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
pathlib.Path("part").write_text(f"{os.getpid()} {child.pid}")
os.replace("part", "ids")
time.sleep(60)
"""


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What Windows is told of each process that is started."""
    found: list[int] = []

    class Noting(subprocess.Popen[bytes]):
        def __init__(self, *words: Any, **named: Any) -> None:
            found.append(named.pop("creationflags", 0))
            super().__init__(*words, **named)

    monkeypatch.setattr(subprocess, "Popen", Noting)
    return found


def test_no_console_opens_for_a_tool(flags: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.infrastructure.core.subprocesses.NO_CONSOLE", 123)
    run_subprocess([sys.executable, "-S", "-c", ""], tmp_path, limit_s=60, stop=Stop())
    assert flags == [123]


def test_no_console_opens_for_the_trial_of_a_new_version(flags: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.program_swap.NO_CONSOLE", 123)
    assert not health_check([sys.executable, "-S", "-c", ""], "1.2.3", AppPaths.find({"AI_POPUP_HOME": str(tmp_path)}))
    assert flags == [123]


def started(folder: Path) -> list[int]:
    deadline = time.monotonic() + 60
    while not (folder / "ids").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return [int(each) for each in (folder / "ids").read_text().split()]


def gone(pid: int) -> bool:
    """Whether it has ended; who takes note of the end of an orphan, and when, is the system's business."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.005)
    return False


def test_a_tool_works_in_its_folder(tmp_path: Path) -> None:
    run_subprocess([sys.executable, "-S", "-c", "open('made', 'w').close()"], tmp_path, limit_s=20, stop=Stop())
    assert (tmp_path / "made").exists()


def test_a_tool_that_fails_or_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_subprocess([sys.executable, "-S", "-c", "raise SystemExit(3)"], tmp_path, limit_s=20, stop=Stop())
    with pytest.raises(OSError):
        run_subprocess([str(tmp_path / "nothing")], tmp_path, limit_s=20, stop=Stop())


def test_stopped_it_ends_with_all_that_it_started_and_no_other_begins(tmp_path: Path) -> None:
    stop, failures = Stop(), list[BaseException]()

    def run() -> None:
        try:
            run_subprocess([sys.executable, "-S", "-c", PARENT], tmp_path, limit_s=20, stop=stop)
        except SubprocessStopped as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    ids = started(tmp_path)
    stop.set()
    thread.join(20)
    assert all(gone(pid) for pid in ids) and len(failures) == 1
    with pytest.raises(SubprocessStopped):
        run_subprocess([sys.executable, "-c", ""], tmp_path, limit_s=20, stop=stop)


def test_one_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    stop = Stop()
    with pytest.raises(subprocess.TimeoutExpired), stop.started([sys.executable, "-S", "-c", PARENT], cwd=tmp_path) as process:
        ids = started(tmp_path)
        process.wait(0.001)
    assert all(gone(pid) for pid in ids)


# Says that it runs, and when it is asked to end, writes that down.
ORDERLY = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("ended").touch()
    sys.exit()
signal.signal(signal.SIGTERM, end)
pathlib.Path("runs").touch()
time.sleep(60)
"""


async def test_with_work_that_is_cancelled_its_tool_ends_and_no_other_starts(tmp_path: Path) -> None:
    told: list[str] = []
    over = threading.Event()

    def work() -> None:
        try:
            answer_of([sys.executable, "-S", "-c", ORDERLY], limit_s=60, cwd=tmp_path)
        except SubprocessStopped:
            told.append("stopped")
        try:
            answer_of([sys.executable, "-S", "-c", "open('second', 'w')"], limit_s=60, cwd=tmp_path)
        except SubprocessStopped:
            told.append("not started")
        over.set()

    working = asyncio.create_task(with_tools(work))
    while not (tmp_path / "runs").exists():
        assert not working.done()
        await asyncio.sleep(0.01)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await asyncio.to_thread(over.wait, 60)
    assert told == ["stopped", "not started"] and not (tmp_path / "second").exists()
    assert (tmp_path / "ended").exists() is (sys.platform != "win32"), "it could remove its lock"


async def test_the_result_and_the_output_of_a_tool_are_returned(tmp_path: Path) -> None:
    program = "import sys; print('said'); print('failed', file=sys.stderr); sys.exit(3)"
    done = await with_tools(lambda: answer_of([sys.executable, "-S", "-c", program], limit_s=60, stderr=subprocess.PIPE))
    assert (done.returncode, done.stdout.split(), done.stderr.split()) == (3, [b"said"], [b"failed"])
    with pytest.raises(subprocess.TimeoutExpired):
        await with_tools(lambda: answer_of([sys.executable, "-S", "-c", "import time; time.sleep(60)"], limit_s=0.2))
