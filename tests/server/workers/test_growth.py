"""A worker that grows beyond its threshold while it works. It is the program's own, in this process; only the meter is the test's."""

import asyncio
from pathlib import Path

import pytest
import structlog

from agent.app.memory_limits import WorkerMemory
from agent.app.worker_process import WorkerEdges, work
from agent.domain.jobs import JobState
from agent.features.people.reference_recognition import KnownReferences
from agent.inference.engine.monitor import NoEngine
from agent.infrastructure.core.config_file import SettingsFile
from tests.server.workers.conftest import Team
from tests.support.fake_memory_meter import LIMIT_MB, STEP_MB, Meter
from tests.support.in_process_agent import FakeMatcher
from tests.support.worker_process import SLOTS, engine


async def test_a_worker_that_grows_finishes_its_photos_and_ends_for_another(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meter, stop = Meter(monkeypatch), asyncio.Event()
    file = SettingsFile(tmp_path / "settings.toml", environ={})
    file.put("memory.worker_mb", LIMIT_MB)
    file.put("memory.again_minutes", 0)
    memory = WorkerMemory(file, stop, supervised=True)

    def matcher(references: KnownReferences) -> FakeMatcher:
        return FakeMatcher(references.read)

    async def grow() -> None:
        """While photos are in its hands; they end after it was told to."""
        await team.until(lambda: team.states().get(JobState.LEASED, 0) == SLOTS)
        meter.grows = True
        await stop.wait()
        (tmp_path / "held" / "go").touch()

    team.photos(SLOTS, folder="held")
    async with team.server():
        beside = [asyncio.create_task(each) for each in (*memory.works(NoEngine()), grow())]
        with structlog.testing.capture_logs() as logged:
            await work(team.settings, team.opened_again(), team.url, "grows", WorkerEdges(engine(0), matcher), stop, drain_s=60)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        assert memory.starts_again
        team.check_each_once(SLOTS)
    [over] = [line for line in logged if line["event"] == "memory.over_limit"]
    assert (over["kind"], over["megabytes"], over["limit"]) == ("worker", LIMIT_MB + STEP_MB, LIMIT_MB)
