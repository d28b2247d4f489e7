"""A file that ends or hangs the real engine is tried twice and set aside, named; the others don't notice; the user may try it again."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from PIL import Image

from agent.app.adapters import ExternalAdapters
from agent.app.checkup import health
from agent.app.http import Context, create_app
from agent.app.library_home import backup_store
from agent.app.library_restore import LibraryRestore, RestoreOutcome
from agent.app.wiring import build
from agent.desktop.capture.region_picker import RegionPicker
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.image import Recipe
from agent.features.library.onboarding import Onboarding
from agent.features.library.schemas import PlaceProblem, PlaceProblems
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.analyser import AnalysisEngine
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.monitor import Machine
from agent.inference.engine.pool import EnginePool
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.settings import EngineSettings, Folder, LibrarySettings, Settings, SourceSettings
from agent.interfaces.web.client import Client
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.schemas import Status
from agent.interfaces.web.server import serving

# The real engine, but that a file with a note beside it ends it by a segmentation fault, or hangs it. No wall: it must read the notes.
ENGINE = """
import os, signal, sys, time
from pathlib import Path
from agent.inference.engine.sandbox.report import OPEN
from agent.inference.engine import engine_worker, service

class Marked(service.Engine):
    def analyse(self, task, descriptor=None):
        note = Path(task.path + ".note")
        if note.exists():
            with open(os.environ["HOME"] + "/attempts", "a") as attempts:
                print(Path(task.path).name, file=attempts)
            if note.read_text() == "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            time.sleep(600)
        return super().analyse(task, descriptor)

service.Engine = Marked
engine_worker.enter_sandbox = lambda rooms: OPEN
sys.exit(engine_worker.main())
"""
LIMIT_S = 5


async def nothing(_: Recipe) -> None:
    """The models are there."""


@dataclass
class Running:
    """The agent in this process, served over HTTP, with the real pool and that engine."""

    client: Client
    watched: Path
    attempts: Path

    async def until(self, done: Callable[[Status], bool]) -> Status:
        async with asyncio.timeout(60):
            while not done(status := await asyncio.to_thread(self.client.status)):  # noqa: ASYNC110  # the API tells by being asked
                await asyncio.sleep(0.1)
        return status

    async def problems(self) -> dict[str, PlaceProblem]:
        found = await asyncio.to_thread(self.client.get_json, "/api/problems")
        return {problem.name: problem for problem in PlaceProblems.model_validate(found).items}


@pytest_asyncio.fixture
async def running(
    tmp_path: Path, library: RedactionQueries, engine_config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    monkeypatch.setenv("HOME", str(tmp_path))
    watched, script = tmp_path / "photos", tmp_path / "engine.py"
    watched.mkdir()
    script.write_text(ENGINE)
    paths = AppPaths.find({"AI_POPUP_HOME": str(tmp_path / "home")}).create()
    settings = Settings(
        folders=(Folder(path=str(watched)),),
        sources=SourceSettings(settle_ms=100),
        engine=EngineSettings(workers=1, time_limit_s=LIMIT_S),
        library=LibrarySettings(backups=0),
    )
    pool = EnginePool(
        settings.engine,
        engine_config.models,
        ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache)),
        command=[sys.executable, str(script)],
    )

    def with_pool(edges: ExternalAdapters) -> ExternalAdapters:
        return replace(edges, engine=AnalysisEngine(pool, lambda: 4, nothing), machine=Machine())

    app = build(settings, paths, database=library.database, desktop=False, swap=with_pool)
    desk = UiLauncher(lambda page, _: page, settings.popup)
    context = Context(
        app=app,
        auth=Auth(asyncio.get_running_loop().time),
        desk=desk,
        picking=RegionPicker(lambda: app.screen.capturing, desk),
        settings=SettingsFile(paths.settings),
        move_key=lambda _: None,
        remote=lambda _: False,
        recovery_code=lambda: "",
        beginning=Onboarding(library, lambda: True, lambda: None, lambda _: None),
        suggested=lambda: (),
        texts=lambda: Texts("en"),
        quit=lambda: None,
        health=health(app, paths, lambda: Texts("en"), "0"),
        restore=LibraryRestore(
            lambda: backup_store(settings, paths), library.database, damaged=lambda: False, close=lambda _: None, last=RestoreOutcome()
        ),
        version="0",
        ui=resource("ui"),
        help=resource("help"),
    )
    async with serving(partial(create_app, context), token=context.auth.token, port=0, runtime=paths.runtime):
        work = asyncio.create_task(app.run())
        with contextlib.closing(Client.find(paths.runtime)) as client:
            yield Running(client, watched, tmp_path / "attempts")
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_files_that_crash_or_hang_the_engine_are_set_aside_and_can_be_tried_again(
    running: Running, photo: Callable[[int], Image.Image]
) -> None:
    for number in range(8):
        photo(number).save(running.watched / f"{number}.jpg")
    notes = {"2.jpg": "crash", "5.jpg": "hang"}
    for name, note in notes.items():
        (running.watched / f"{name}.note").write_text(note)

    status = await running.until(lambda status: (status.images, status.failed, status.queued) == (6, 2, 0))
    problems = await running.problems()

    assert status.problem is None  # the work as a whole is well
    assert sorted(running.attempts.read_text().split()) == ["2.jpg", "2.jpg", "5.jpg", "5.jpg"]
    assert {name: (problem.problem.code, problem.quarantined) for name, problem in problems.items()} == {
        "2.jpg": ("engine.crashed", True),
        "5.jpg": ("engine.timeout", True),
    }
    assert all(problem.problem.cause and problem.problem.remedy for problem in problems.values())
    assert str(LIMIT_S) in problems["5.jpg"].problem.cause

    for name in notes:
        (running.watched / f"{name}.note").unlink()
    await asyncio.to_thread(running.client.post, "/api/problems/retry")
    await running.until(lambda status: (status.images, status.failed, status.queued) == (8, 0, 0))
    assert not await running.problems()
