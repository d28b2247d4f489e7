"""The process of `ai-popup serve`: its database, its certificate, and its event loop until a signal ends it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from agent.app.engines import model_store
from agent.app.library_home import home_of_key, worker_keys
from agent.app.metric_families.thresholds import OF_SERVER, thresholds
from agent.app.server.addresses import ServerAddresses
from agent.app.server.alerts import unstored_alert
from agent.app.server.assembly import ServerContext
from agent.app.server.disk_space import DiskSpaceGate
from agent.app.server.job_coordination import HAS_WORKERS
from agent.app.server.log_files import POSTGRES_LOG, rotating
from agent.app.server.loop import ServerLoop
from agent.app.server.metrics.server import SERVER, ServerFigures
from agent.app.server.operations import Operations
from agent.app.server.readiness import Readiness
from agent.app.server.worker_processes import WorkerProcesses
from agent.desktop.system.termination import on_termination
from agent.domain.errors import AgentError, SettingsInvalid, StoreDiskFull, StoreError, reason_of
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.observable import wait_at_most
from agent.infrastructure.core.paths import AppPaths, instance_name
from agent.infrastructure.core.process_exit import loop_threads
from agent.infrastructure.core.program_settings import LogTarget
from agent.infrastructure.core.sd_notify import START_AGAIN
from agent.infrastructure.core.server_settings import Migrate
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.infrastructure.store.server_database import POSTGRES_FOLDER, Migrating, database_url, server_database
from agent.infrastructure.store.worker_key import hand_out
from agent.interfaces.web.certificates import CERTIFICATES_FOLDER, SERVER_FILE, Certificates, GivenFiles, names_of_computer
from agent.interfaces.web.local_auth import Auth
from agent.interfaces.web.probe_server import operations_port
from agent.interfaces.web.request_counts import RequestCounts
from agent.server.backups.context import archive_of

log = structlog.get_logger()

_AGAIN_S = 2.0


class Server:
    """One run, with loaded settings and the instance's lock held. `up` is called when it answers, `ending` when it was told to
    end, `waits` when its disk is full."""

    def __init__(
        self,
        paths: AppPaths,
        file: SettingsFile,
        up: Callable[[ServerAddresses], None],
        ending: Callable[[], None] = lambda: None,
        waits: Callable[[AgentError], None] = lambda _: None,
    ) -> None:
        self._paths = paths
        self._file = file
        self._up = up
        self._ending = ending
        self._waits = waits
        self._unstored = unstored_alert(file, paths)
        self._auth = Auth(time.monotonic)
        self._again = False  # it ended so that another process is started

    def run(self) -> int:
        """Run until a signal; return the exit code. Main thread only. Raises ServerError, SettingsError, StoreError, KeyHomeError."""
        try:
            asyncio.run(self._live())
        except BaseException as error:
            log.exception("server.failed")
            reason = reason_of(error)
            raise store_error(reason) if isinstance(reason, OSError) else reason from None
        return START_AGAIN if self._again else 0

    async def _live(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        operations = self._operations(stop.is_set)

        def told() -> None:
            if not stop.is_set():
                stop.set()
                self._ending()

        def start_again() -> None:
            self._again = True
            told()

        def asked() -> None:
            loop.call_soon_threadsafe(told)

        room = DiskSpaceGate(self._unstored, self._waits, stop)
        with loop_threads(loop), on_termination(asked):
            certificates = certificates_of(self._file.snapshot, self._paths)
            try:
                async with self._port_of(operations):
                    await room.for_work(certificates.load)
                    async with self._postgres(room) as (url, embedded):
                        database = await room.for_work(partial(self._library, url))
                        context = self._server_context(url, database, embedded, certificates, operations, start_again)
                        try:
                            await self._serve(context, stop, room)
                        finally:
                            await asyncio.to_thread(database.close)
            except StoreDiskFull:
                if not stop.is_set():
                    raise

    def _server_context(
        self,
        url: str,
        database: Database,
        embedded: EmbeddedPostgres | None,
        certificates: Certificates,
        operations: Operations,
        start_again: Callable[[], None],
    ) -> ServerContext:
        return ServerContext(
            paths=self._paths,
            file=self._file,
            url=url,
            database=database,
            embedded=embedded,
            certificates=certificates,
            auth=self._auth,
            operations=operations,
            unstored=self._unstored,
            start_again=start_again,
        )

    def _operations(self, draining: Callable[[], bool]) -> Operations:
        def settings() -> Settings:
            return self._file.snapshot

        readiness = Readiness(self._paths, model_store(self._paths), settings)
        figures = ServerFigures(
            SERVER, self._paths.data, RequestCounts(), thresholds=lambda faces: thresholds(settings(), OF_SERVER, faces)
        )
        return Operations(readiness, settings, draining, figures)

    @asynccontextmanager
    async def _port_of(self, operations: Operations) -> AsyncIterator[None]:
        """Answer probes from the start on, while the database is still opened. Raises SettingsInvalid if the port is taken."""
        wanted = self._file.snapshot.server
        if not wanted.operations_port:
            yield
            return
        async with operations_port(wanted.operations_host, wanted.operations_port, operations.respond):
            yield

    async def _serve(self, context: ServerContext, stop: asyncio.Event, room: DiskSpaceGate) -> None:
        """Serve until `stop`, with workers beside, which outlive the database's end; then wait until these have drained."""
        wanted = context.file.snapshot.server
        count = wanted.workers if HAS_WORKERS else 0
        logged_here = context.file.snapshot.logs.target is LogTarget.STDOUT
        workers = WorkerProcesses(count, _worker_command, {}, to_stdout=logged_here)
        keeping, ending = asyncio.create_task(workers.run()), asyncio.create_task(_end_at(stop, workers))
        try:
            await self._serve_pages(context, stop, room)
            await asyncio.wait({keeping}, timeout=wanted.drain_s)
        finally:
            for task in (keeping, ending):
                task.cancel()
            await asyncio.gather(keeping, ending, return_exceptions=True)

    async def _serve_pages(self, context: ServerContext, stop: asyncio.Event, room: DiskSpaceGate) -> None:
        """Serve until `stop`. What the database's end broke off begins again."""
        while not stop.is_set():
            try:
                await ServerLoop(context, self._up).run(stop)
            except Exception as error:
                if not isinstance(reason := reason_of(error), StoreError):
                    raise
                log.warning("server.broken_off", code=reason.code)
                await wait_at_most(stop, _AGAIN_S)
                if context.embedded is not None and not context.embedded.runs:
                    await room.for_work(context.embedded.start)

    @asynccontextmanager
    async def _postgres(self, room: DiskSpaceGate) -> AsyncIterator[tuple[str, EmbeddedPostgres | None]]:
        """The database's address, and our own server of it unless the settings name another."""
        if self._file.snapshot.server.database:
            yield database_url(self._file.snapshot, self._paths.data), None
            return
        settings, paths = self._file.snapshot, self._paths
        archive = await room.for_work(partial(archive_of, settings, paths, home_of_key(settings, paths)))
        messages = paths.logs / POSTGRES_LOG
        embedded = EmbeddedPostgres(paths.data / POSTGRES_FOLDER, messages, archive)
        async with rotating(messages, lambda: self._file.snapshot.logs):
            try:
                yield await room.for_work(embedded.start), embedded
            finally:
                await asyncio.to_thread(embedded.stop)

    def _library(self, url: str) -> Database:
        settings = self._file.snapshot
        database = server_database(url, self._paths.library, home_of_key(settings, self._paths), migrating_at_start(settings))
        hand_out(database, worker_keys(settings, self._paths))
        return database


def migrating_at_start(settings: Settings) -> Migrating:
    """Return what a start may do: other processes may be at work on a database that isn't its own."""
    if settings.server.migrate is Migrate.NEVER:
        return Migrating.NONE
    return Migrating.NEW if settings.server.database else Migrating.ANY


def certificates_of(settings: Settings, paths: AppPaths) -> Certificates:
    """The settings' certificate, or our own. Raises SettingsInvalid if only one of its files is named."""
    wanted = settings.server
    given: GivenFiles | None = None
    if wanted.certificate or wanted.private_key:
        for name, path in (("certificate", wanted.certificate), ("private_key", wanted.private_key)):
            if not path:
                raise SettingsInvalid(key=f"server.{name}", reason="missing")
        given = GivenFiles(Path(wanted.certificate).expanduser(), Path(wanted.private_key).expanduser())
    public = [host] if (host := urlsplit(wanted.address).hostname) else []
    file = f"server-{instance}.pem" if (instance := instance_name()) else SERVER_FILE
    return Certificates(paths.data / CERTIFICATES_FOLDER, lambda: names_of_computer([*wanted.names, *public]), utc_now, given, file)


def _worker_command(name: str) -> list[str]:
    """Its name is no other server's, if there are several."""
    return own_command("worker", "--name", f"{instance}-{name}" if (instance := instance_name()) else name, "--with-parent")


async def _end_at(stop: asyncio.Event, workers: WorkerProcesses) -> None:
    await stop.wait()
    workers.end()
