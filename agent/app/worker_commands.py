"""`ai-popup worker`."""

import asyncio
import socket
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from agent.domain.errors import ServerPackagesMissing
from agent.interfaces.cli.command import Command
from agent.interfaces.cli.language import TEXTS
from agent.interfaces.cli.output import note
from agent.interfaces.cli.session import CommandSession
from agent.server.workers.path_mapping import Roots

if TYPE_CHECKING:
    from agent.app.memory_limits import WorkerMemory
    from agent.app.worker_process import WorkerEdges
    from agent.inference.engine.pool import EnginePool
    from agent.infrastructure.core.settings import Settings
    from agent.infrastructure.store.database import Database


@click.command(cls=Command, help=TEXTS("cli.help.worker"), short_help=TEXTS("cli.help.worker_short"))
@click.option("--name", default=None, metavar="NAME", help=TEXTS("cli.help.worker_name"))
@click.option("--root", "roots", multiple=True, metavar="SERVER_PATH=LOCAL_PATH", help=TEXTS("cli.help.worker_root"))
@click.option("--with-parent", is_flag=True, hidden=True)  # a server's child ends with its standard input
@click.pass_obj
def worker(session: CommandSession, name: str | None, roots: tuple[str, ...], with_parent: bool) -> int:
    from agent.infrastructure.core.malloc_tuning import limit_arenas
    from agent.infrastructure.core.resource_limits import raise_open_file_limit
    from agent.interfaces.cli.failures import failure_logged

    try:
        from agent.app.server.job_coordination import HAS_WORKERS
    except ModuleNotFoundError as error:
        raise ServerPackagesMissing from error

    if not HAS_WORKERS:
        raise click.UsageError(session.texts("cli.worker.system"))
    try:
        mounted = Roots.parse(roots)
    except ValueError as error:
        raise click.BadParameter(session.texts("cli.worker.root"), param_hint="--root") from error
    limit_arenas()
    raise_open_file_limit()
    called = name or socket.gethostname()
    log_file = f"worker-{_file_name(called)}.log"
    with failure_logged(session, log_file):
        return _work(session, called, mounted, log_file, with_parent=with_parent)


def _work(session: CommandSession, called: str, mounted: Roots, log_file: str, *, with_parent: bool) -> int:
    """Raises SettingsError, StoreError, KeyHomeError, ServerError."""
    from agent.app.library_home import worker_keys
    from agent.app.memory_limits import WorkerMemory
    from agent.app.server.worker_port import worker_port
    from agent.app.tracing import traced
    from agent.app.worker_process import library_of, stop_with_input, stopped_by_signals, work
    from agent.infrastructure.core import logs
    from agent.infrastructure.core.process_exit import loop_threads
    from agent.infrastructure.core.sd_notify import START_AGAIN, is_supervised
    from agent.infrastructure.store.server_database import database_url

    settings, paths = session.file.load(), session.paths
    url = database_url(settings, paths.data)
    database = library_of(url, worker_keys(settings, paths))
    logs.configure(settings.logs, paths.logs, file=log_file, stdout=sys.stdout)

    async def run() -> int:
        stop = stopped_by_signals()
        memory = WorkerMemory(session.file, stop, supervised=with_parent or is_supervised())
        if with_parent:
            stop_with_input(stop)
        else:
            note(session.texts("cli.worker.ready", name=called))
        pool = _pool(session, called, mounted, database)
        port = nullcontext() if with_parent else worker_port(session.file, paths, database, stop, memory.faces)
        with loop_threads(asyncio.get_running_loop()):  # it ends in time though a drive never answers
            async with port:
                beside = [asyncio.create_task(each) for each in memory.works(pool)]
                try:
                    edges = _edges(session, pool, mounted, memory, with_parent=with_parent)
                    await work(settings, database, url, called, edges, stop, drain_s=settings.server.drain_s)
                finally:
                    for task in beside:
                        task.cancel()
                    await asyncio.gather(*beside, return_exceptions=True)
        return START_AGAIN if memory.starts_again else 0

    try:
        with traced(settings.server.tracing, "ai-popup-worker"):
            return asyncio.run(run())
    finally:
        database.close()
        logs.stop()


def _pool(session: CommandSession, name: str, roots: Roots, database: "Database") -> "EnginePool":
    from agent.app.engines import engine_pool, model_store
    from agent.app.library_home import home_of_key
    from agent.app.server.buckets import bucket_reader
    from agent.domain.path_text import BUCKET
    from agent.infrastructure.core.photo_files import open_photo
    from agent.infrastructure.sources.source import opener_of

    settings, paths = session.file.snapshot, session.paths
    store = model_store(paths)
    pool = engine_pool(settings, paths, store, scratch=f"worker-{_file_name(name)}")
    buckets = bucket_reader(database, home_of_key(settings, paths), lambda: session.file.snapshot)
    pool.open_item = roots.opener(opener_of(open_photo, {BUCKET: buckets.open}))
    return pool


def _edges(session: CommandSession, pool: "EnginePool", roots: Roots, memory: "WorkerMemory", *, with_parent: bool) -> "WorkerEdges":
    from agent.app.engines import model_store, model_ways
    from agent.app.worker_process import WorkerEdges
    from agent.inference.engine.analyser import AnalysisEngine
    from agent.inference.engine.matcher import MatcherProcess
    from agent.infrastructure.sources.folder.drives import is_online_only

    supply, _ = model_ways(model_store(session.paths), (pool,))

    def told(settings: "Settings") -> None:
        # Beside the database that comes with the program is the server's own computer, which has its folders, or misses them alike.
        if session.file.snapshot.server.database and not with_parent:
            roots.watched(folder.root for folder in settings.folders)

    return WorkerEdges(
        AnalysisEngine(pool, lambda: pool.size + 2, supply),
        lambda references: memory.of(MatcherProcess(references.read)),
        lambda path: is_online_only(roots.local(path)),
        told,
    )


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)[:60]
