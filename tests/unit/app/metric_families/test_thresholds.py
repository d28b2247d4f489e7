"""What each kind of process may take."""

from agent.app.metric_families.thresholds import ENGINE, OF_AGENT, OF_SERVER, OF_WORKER, thresholds
from agent.infrastructure.core.memory_guard import FACE_BYTES, MB, ProcessKind
from agent.infrastructure.core.program_settings import MemorySettings
from agent.infrastructure.core.settings import EngineSettings, Settings


def test_each_kind_has_the_threshold_of_its_setting_and_the_matcher_room_for_its_faces() -> None:
    settings = Settings(memory=MemorySettings(server_mb=700, worker_mb=600), engine=EngineSettings(max_memory_mb=900))
    assert thresholds(settings, OF_SERVER, 1_000) == {
        "server": 700 * MB,
        "worker": 600 * MB,
        "matcher": 500 * MB + 1_000 * FACE_BYTES,
        "engine": 900 * MB,
    }


def test_0_is_none() -> None:
    found = thresholds(Settings(memory=MemorySettings(worker_mb=0, matcher_mb=0)), OF_WORKER, 1_000)
    assert found.keys() == {ENGINE} and found[ENGINE] > 0


def test_every_kind_is_somebodys() -> None:
    assert {*OF_AGENT, *OF_SERVER, *OF_WORKER} == set(ProcessKind)
