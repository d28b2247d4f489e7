"""Memory and processor time, of real processes."""

import os

from agent.adapters.processes import ProcessMeter, total_memory


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
