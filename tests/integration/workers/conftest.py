"""A server's side without its pages: the app, handing out photos; and workers in processes of their own."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from agent.core.paths import AppPaths
from agent.core.settings import Settings
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.library.recipes import recipe_of
from agent.main import wiring
from agent.main.app import App
from agent.main.team_work import TeamWork
from agent.people.recognition_switch import Backups
from agent.redaction.queries.redaction_queries import RedactionQueries
from agent.store.database import Database
from agent.store.dialects.postgresql import PostgreSql
from agent.store.schema import event, image, job
from agent.store.upgrade import upgrade
from agent.workers.queries.worker_rows import WorkerQueries
from agent.workers.records import WorkerState
from tests.conftest import CHECKOUT
from tests.postgres import ON_SERVER, PostgresServer
from tests.worker_process import engine
from tests.world import FakeMatcher, FakeSource

SILENT_S = 3.0


class Team:
    """One library on a server."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.database = Database(PostgreSql(url, bytes(32)))
        upgrade(self.database)
        self.library = RedactionQueries(self.database)
        self.work = TeamWork(self.database, url)
        self.workers = WorkerQueries(self.database)
        self.settings = Settings()
        self.running: list[asyncio.subprocess.Process] = []

    # -- the server --------------------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def server(self) -> AsyncIterator[App]:
        paths = AppPaths(*(self.folder / "home" / each for each in ("config", "data", "cache", "run", "logs"))).create()
        app = wiring.build(
            self.settings,
            paths,
            database=self.database,
            analyser=engine(0).analyser,
            matcher=FakeMatcher(lambda: self.library.prints("mobilefacenet-2")),
            source=FakeSource(),
            backups=Backups(lambda *_: None, lambda *_: None),
            queue=self.work.queue,
        )
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(app.run()), tasks.create_task(self.work.run(app, silent_s=SILENT_S))]
            try:
                await app.prepared.wait()
                yield app
            finally:
                for each in both:
                    each.cancel()

    # -- photos ------------------------------------------------------------------------------------------------------------------
    def photos(self, count: int, *, folder: str = "photos", priority: Priority = Priority.NEW, first: bytes = b"") -> list[str]:
        """Queue that many different photos."""
        (self.folder / folder).mkdir(exist_ok=True)
        paths = []
        for number in range(count):
            path = self.folder / folder / f"{priority.name}-{number}.jpg"
            path.write_bytes(first or b"%d %s %d" % (number, folder.encode(), priority))
            seen = FileSeen(str(path), path.stat().st_size, path.stat().st_mtime_ns)
            self.library.note_file(seen, recipe_of(self.settings), priority=priority, now=wiring.utc_now())
            paths.append(str(path))
        return paths

    def states(self) -> dict[JobState, int]:
        return {state: count for state, count in self.library.counts().jobs.items() if count}

    def done(self) -> int:
        return self.states().get(JobState.DONE, 0)

    def times_stored(self) -> dict[str, int]:
        """How many analyses were stored, by place."""
        with self.database.read() as tx:
            place = func.json_extract_path_text(event.c.payload, "place_id")
            kind = func.json_extract_path_text(event.c.payload, "kind")
            return {place: count for place, count in tx.execute(select(place, func.count()).where(kind == "image_indexed").group_by(place))}

    def check_each_once(self, count: int) -> None:
        stored = self.times_stored()
        assert len(stored) == count and set(stored.values()) == {1}
        with self.database.read() as tx:
            assert tx.scalar(select(func.count()).select_from(image)) == count
            assert tx.scalar(select(func.count()).select_from(job).where(job.c.lease_worker.is_not(None))) == 0

    def batches_left(self) -> int:
        with self.database.read() as tx:
            return tx.scalar(text("SELECT count(*) FROM procrastinate_jobs")) or 0

    # -- workers -----------------------------------------------------------------------------------------------------------------
    async def start(self, name: str, *, pause: float = 0.0, drain_s: float = 30.0) -> asyncio.subprocess.Process:
        words = ["-m", "tests.worker_process", self.url, name, str(pause), str(drain_s)]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=CHECKOUT)
        self.running.append(process)
        return process

    async def until(self, reached: Callable[[], bool]) -> None:
        """Look until it is so; the test's own time limit ends this."""
        while True:
            if await asyncio.to_thread(reached):
                return
            await asyncio.sleep(0.05)

    async def until_done(self, count: int) -> None:
        await self.until(lambda: self.states() == {JobState.DONE: count})

    def living(self) -> list[str]:
        return [each.name for each in self.workers.workers() if each.state is not WorkerState.GONE]

    async def end(self) -> None:
        for process in self.running:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self.database.close()


async def ended(process: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> int:
    """Send the signal, and wait for the end."""
    process.send_signal(number)
    return await process.wait()


@pytest.fixture(params=ON_SERVER)
async def team(postgres: PostgresServer, tmp_path: Path, quick: None) -> AsyncIterator[Team]:
    made = Team(postgres.url(postgres.create()), tmp_path)
    yield made
    await made.end()
