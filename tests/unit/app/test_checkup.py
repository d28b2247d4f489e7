"""What the doctor says of the memory of processes."""

import pytest

from agent.app.checkup import memory_beside
from agent.app.health import Finding
from agent.domain.errors import EngineMemory, ProcessMemory
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.memory_guard import MB

LIMITS = {"server": 1_500 * MB, "worker": 1_000 * MB, "engine": 1_024 * MB}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "server 122 of 1,500 MB, worker 157 of 1,000 MB, comparing faces 91 MB"),
        ("zh-CN", "服务器 122 / 1,500 MB、工作进程 157 / 1,000 MB、人脸比对 91 MB"),
    ],
)
def test_each_kind_is_said_beside_its_threshold_if_it_has_one(language: str, said: str) -> None:
    largest = {"server": 122 * MB, "worker": 157 * MB, "matcher": 91 * MB, "postgres": 54 * MB, "other": MB}
    assert memory_beside(largest, LIMITS, Texts(language)) == said


def test_a_process_beyond_its_threshold_is_a_warning() -> None:
    with pytest.raises(ProcessMemory) as large:
        memory_beside({"server": 122 * MB, "worker": 1_001 * MB}, LIMITS, Texts())
    assert large.value.params == {"worker": 1, "kind": "worker", "megabytes": 1_001, "limit": 1_000}
    with pytest.raises(EngineMemory) as engine:
        memory_beside({"engine": 1_100 * MB}, LIMITS, Texts())
    assert [Finding("memory", error=each.value).state for each in (large, engine)] == ["warning", "warning"]
    assert Finding("engine", error=engine.value).state == "failed"
