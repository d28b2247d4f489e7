"""How the engine's work is shared out."""

import pytest

from agent.engine.worker_slot import MOST_PROCESSES, processes_for


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 2), (4, 4), (6, 3), (8, 4), (16, 4)])
def test_all_cores_have_work(cores: int, processes: int) -> None:
    assert processes_for(cores) == processes
    assert processes * (cores // processes) == cores


def test_no_number_of_cores_brings_more_processes_than_memory_allows_nor_leaves_a_third_of_them_idle() -> None:
    for cores in range(1, 257):
        processes = processes_for(cores)
        assert 1 <= processes <= MOST_PROCESSES
        assert processes * (cores // processes) >= cores * 2 / 3
