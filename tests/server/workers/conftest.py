"""A server's side without its pages: the app, handing out photos; and workers in processes of their own."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, make_url, select, text

from agent.app import wiring
from agent.app.adapters import ExternalAdapters
from agent.app.app import App
from agent.app.server.job_coordination import JobCoordinator
from agent.domain.image import FileSeen
from agent.domain.jobs import JobState, Priority
from agent.features.library.recipes import recipe_of
from agent.features.people.recognition_switch import Backups
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.monitor import Machine
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.addresses import libpq_address
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.postgresql import PostgreSql
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.schema import embedding, event, face, identity, image, job
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.records import WorkerState
from tests.conftest import CHECKOUT
from tests.support.in_process_agent import FakeMatcher, FakeSource
from tests.support.postgres_server import ON_SERVER, PostgresServer
from tests.support.worker_process import engine

SILENT_S = 3.0


class Team:
    """One library on a server."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.database = Database(PostgreSql(url, bytes(32)))
        upgrade(self.database)
        self.library = RedactionQueries(self.database)
        self.work = JobCoordinator(self.database, url)
        self.workers = WorkerQueries(self.database)
        self.settings = Settings()
        self.running: list[asyncio.subprocess.Process] = []
        self.others: list[Database] = []  # as other processes have opened it

    def opened_again(self) -> Database:
        self.others.append(Database(PostgreSql(self.url, bytes(32))))
        return self.others[-1]

    # -- the server --------------------------------------------------------------------------------------------------------------
    @asynccontextmanager
    async def server(self) -> AsyncIterator[App]:
        paths = AppPaths(*(self.folder / "home" / each for each in ("config", "data", "cache", "run", "logs"))).create()
        app = wiring.build(
            self.settings,
            paths,
            database=self.database,
            desktop=False,
            queue=self.work.queue,
            swap=self.faked,
        )
        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(app.run()), tasks.create_task(self.work.run(app, silent_s=SILENT_S))]
            try:
                await app.prepared.wait()
                yield app
            finally:
                for each in both:
                    each.cancel()

    def faked(self, edges: ExternalAdapters) -> ExternalAdapters:
        """Nothing is watched, and no engine runs in the server."""
        matcher = FakeMatcher(lambda: self.library.prints("mobilefacenet-2"))
        people = replace(edges.people, matcher=matcher, backups=Backups(lambda *_: None, lambda *_: None, lambda *_: None))
        return replace(edges, engine=engine(0), source=FakeSource(), people=people, machine=Machine(), guarded=())

    # -- photos ------------------------------------------------------------------------------------------------------------------
    def photos(self, count: int, *, folder: str = "photos", priority: Priority = Priority.NEW, content: str = "") -> list[str]:
        """Queue that many photos, of different content unless it is said."""
        (self.folder / folder).mkdir(exist_ok=True)
        paths = []
        for number in range(count):
            path = self.folder / folder / f"{priority.name}-{number}.jpg"
            path.write_bytes(content.encode() or b"%d %s %d" % (number, folder.encode(), priority))
            self.note(str(path), priority)
            paths.append(str(path))
        return paths

    def note(self, path: str, priority: Priority) -> None:
        found = Path(path).stat()
        seen = FileSeen(path, found.st_size, found.st_mtime_ns)
        self.library.note_file(seen, recipe_of(self.settings), priority=priority, now=self.now())

    def now(self) -> datetime:
        return datetime.now(UTC)

    def later(self) -> datetime:
        return self.now() + timedelta(hours=1)

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

    def fetching(self) -> int:
        """How many of the queue's own workers there are."""
        with self.database.read() as tx:
            return tx.scalar(text("SELECT count(*) FROM procrastinate_workers")) or 0

    def prints(self) -> int:
        with self.database.read() as tx:
            return tx.scalar(select(func.count()).select_from(embedding)) or 0

    def people_on(self, path: str) -> set[int | None]:
        place = self.library.place(path)
        assert place is not None and place.image_id is not None
        with self.database.read() as tx:
            people = select(identity.c.person_id).select_from(face).outerjoin(identity).where(face.c.image_id == place.image_id)
            return set(tx.scalars(people))

    def batch_queue_of(self, path: str) -> str | None:
        """The name of the work queue in which a photo's batch is."""
        statement = "SELECT queue_name FROM procrastinate_jobs JOIN job ON batch = procrastinate_jobs.id JOIN place ON place.id = place_id"
        with self.database.read() as tx:
            found: str | None = tx.scalar(text(f"{statement} WHERE path = :path"), {"path": path.encode()})
            return found

    # -- the database ------------------------------------------------------------------------------------------------------------
    def lock_out(self) -> None:
        """Break all connections to the database, and refuse new ones."""
        self._administer(
            "ALTER DATABASE {} ALLOW_CONNECTIONS false", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'"
        )

    def let_in(self) -> None:
        self._administer("ALTER DATABASE {} ALLOW_CONNECTIONS true")

    def _administer(self, *statements: str) -> None:
        url = make_url(self.url)
        with psycopg.connect(libpq_address(url.set(database="postgres").render_as_string()), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.format(url.database).encode())

    # -- workers -----------------------------------------------------------------------------------------------------------------
    async def start(self, name: str, *, pause: float = 0.0, drain_s: float = 30.0) -> asyncio.subprocess.Process:
        words = ["-m", "tests.support.worker_process", self.url, name, str(pause), str(drain_s)]
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
        # Threads of what was cancelled still use their connections.
        await asyncio.get_running_loop().shutdown_default_executor()
        for each in (self.database, *self.others):
            each.close()


async def ended(process: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> int:
    """Send the signal, and wait for the end."""
    process.send_signal(number)
    return await process.wait()


@pytest.fixture(params=ON_SERVER)
async def team(postgres: PostgresServer, tmp_path: Path, quick: None) -> AsyncIterator[Team]:
    made = Team(postgres.url(postgres.create()), tmp_path)
    yield made
    await made.end()
