"""How the engine's work is shared out."""

import subprocess
import sys

import pytest

from agent.inference.engine import worker_slot
from agent.inference.engine.worker_slot import MOST_PROCESSES, FamilyMemory, processes_for


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 2), (4, 4), (6, 3), (8, 4), (16, 4)])
def test_all_cores_have_work(cores: int, processes: int) -> None:
    assert processes_for(cores) == processes
    assert processes * (cores // processes) == cores


def test_no_number_of_cores_brings_more_processes_than_memory_allows_nor_leaves_a_third_of_them_idle() -> None:
    for cores in range(1, 257):
        processes = processes_for(cores)
        assert 1 <= processes <= MOST_PROCESSES
        assert processes * (cores // processes) >= cores * 2 / 3


def test_descendants_count_but_are_not_listed_at_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    family, listed = {7: [8], 9: []}, list[int]()

    def descendants(pid: int) -> list[int]:
        listed.append(pid)
        return list(family[pid])

    monkeypatch.setattr(worker_slot, "_descendants", descendants)
    monkeypatch.setattr(worker_slot, "memory_of", lambda pid: pid * 100)
    measure = FamilyMemory(every=3)
    assert measure(7) == 1500
    family[7] = [8, 10]
    assert [measure(7) for _ in range(3)] == [1500, 1500, 2500]
    assert measure(9) == 900, "another process was started in its place"
    assert listed == [7, 7, 9]


def test_a_process_that_is_gone_takes_nothing() -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    assert FamilyMemory()(ended.pid) == 0
