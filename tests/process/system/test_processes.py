"""Memory and processor time, of real processes."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import psutil
import pytest

from agent.inference.engine.monitor import EngineUsage
from agent.inference.engine.process_meter import ProcessMeter, total_memory

Tell = Callable[[float, float], None]


class Times(NamedTuple):
    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    steal: float


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Tell:
    """What the system says from now on: so many seconds of its cores were used, so many not."""

    def says(busy: float, idle: float) -> None:
        times = Times(user=busy, nice=0.0, system=0.0, idle=idle, iowait=0.0, steal=0.0)
        monkeypatch.setattr(psutil, "cpu_times", lambda: times)

    says(0, 0)
    return says


def test_the_agent_s_own_memory_and_the_engine_s_are_told_apart() -> None:
    meter = ProcessMeter()
    alone = meter.read([])
    assert 5e6 < alone.agent_memory < total_memory() and alone.engine_memory == 0
    together = meter.read([os.getpid()])
    assert together.engine_memory > 5e6


def test_shares_of_the_processor_lie_between_nothing_and_all() -> None:
    usage = ProcessMeter().read([os.getpid()])
    assert all(0 <= share <= 1.01 for share in (usage.agent_cpu, usage.engine_cpu, usage.others_cpu))


def test_an_engine_that_is_gone_counts_as_nothing() -> None:
    assert ProcessMeter().read([2**22 + 7]).engine_memory == 0


def test_what_the_program_s_own_children_take_is_not_said_to_be_others(tell: Tell) -> None:
    meter = ProcessMeter()
    with subprocess.Popen(
        # Without `site`: measuring coverage in the child would be work of its own.
        [sys.executable, "-S", "-c", "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        tell(0.2, 0.2)
        while_it_runs = meter.read([])
    tell(0.4, 0.4)
    after_its_end = meter.read([])
    assert while_it_runs.others_cpu < 0.1
    assert after_its_end.others_cpu > 0.3  # what it took was taken off once, not again


# How often the system's processes are gone through, without a child and with one, which is not reaped.
CHILDREN = """
import subprocess, sys, psutil
from agent.inference.engine.process_meter import ProcessMeter
listed = []
children = psutil.Process.children
psutil.Process.children = lambda self, recursive: listed.append(self) or children(self, recursive)
meter = ProcessMeter()
meter.read([])
print(len(listed))
child = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"], stdout=subprocess.PIPE)
child.stdout.read()
meter.read([])
print(len(listed), child.wait())
"""


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="the system does not tell cheaply")
def test_the_system_s_processes_are_gone_through_only_while_one_may_be_the_program_s() -> None:
    said = subprocess.run([sys.executable, "-c", CHILDREN], check=True, timeout=100, capture_output=True, text=True).stdout
    assert said.split() == ["0", "1", "7"]


def test_an_engine_s_first_seconds_are_its_own(tell: Tell) -> None:
    meter = ProcessMeter()
    own = psutil.Process().cpu_times()
    tell(own.user + own.system, own.user + own.system)
    assert meter.read([os.getpid()]).engine_cpu == pytest.approx(0.5, abs=0.05)


def test_a_busy_hour_that_is_over_is_not_told_again_by_another_thread(tell: Tell) -> None:
    meter, seen = ProcessMeter(), list[EngineUsage]()

    def read() -> None:
        seen.append(meter.read([]))

    with ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(read).result()
        tell(1000, 0)
        read()
        tell(1000, 1000)
        elsewhere.submit(read).result()
    assert [round(usage.others_cpu, 1) for usage in seen] == [0.0, 1.0, 0.0]


def test_time_that_another_machine_took_of_this_one_is_not_its_programs(monkeypatch: pytest.MonkeyPatch, tell: Tell) -> None:
    meter = ProcessMeter()
    times = Times(user=100.0, nice=0.0, system=0.0, idle=100.0, iowait=100.0, steal=100.0)
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    assert meter.read([]).others_cpu == pytest.approx(0.25, abs=0.01)
