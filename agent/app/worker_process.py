"""`ai-popup worker`: a process that analyses a server's photos, here or on another machine."""

import asyncio
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from agent.app.upkeep import ModelSupply
from agent.domain.errors import WorkerVersions
from agent.features.library.activity import WorkState
from agent.features.library.indexer import Indexer
from agent.features.library.job_runner import JobRunner
from agent.features.library.previews import Previews
from agent.features.library.thumbnails import Thumbnails
from agent.features.people.reference_recognition import KnownReferences, ReferenceRecognition
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.analyser import AnalysisEngine
from agent.inference.engine.matcher_port import FaceMatcher
from agent.infrastructure.core.bus import Bus
from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.addresses import libpq_address
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.sqlcipher import KEY_BYTES
from agent.infrastructure.store.migrator import schema_state
from agent.infrastructure.store.worker_key import check_mark, worker_seals
from agent.server.workers.batch_queue import BatchQueue
from agent.server.workers.event_relay import EventQueries, EventRelay
from agent.server.workers.queries.handout_rows import HandoutQueries
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.worker import Worker, WorkerName

log = structlog.get_logger()

AT_ONCE = 143  # the exit code of a process that SIGTERM ended


@dataclass(frozen=True, slots=True)
class WorkerEdges:
    """A worker's outer dependencies: the real ones, or fakes of tests."""

    engine: AnalysisEngine
    matcher: Callable[[KnownReferences], FaceMatcher]
    online_only: Callable[[str], bool] = lambda _: False  # whether reading a file would fetch it from a cloud; blocks
    settings: Callable[[Settings], None] = lambda _: None  # is told this computer's, then the server's


async def work(
    settings: Settings, database: Database, url: str, name: str, edges: WorkerEdges, stop: asyncio.Event, *, drain_s: float
) -> None:
    """Work until `stop` is set, see `Worker.run`. `url` is the database's in SQLAlchemy's form. Raises StoreError at start.

    The worker keeps no thumbnails: the server's process makes those that are looked at.
    """
    environment = Environment(Observable(settings), _utc_now, time.monotonic)
    library, address = RedactionQueries(database), libpq_address(url)
    me = WorkerName(secrets.token_hex(16), name, socket.gethostname())
    references = KnownReferences(library)
    people = ReferenceRecognition(library, references, edges.matcher(references), environment)
    relay = EventRelay(address, EventQueries(database), Bus())
    relay.arrived.subscribe(people.noticed)
    thumbnails = Thumbnails(library, Previews(library, edges.engine.analyser, edges.online_only), None)
    attempts = JobRunner(library, edges.engine.analyser, people, thumbnails, environment, online_only=edges.online_only)
    queue = BatchQueue(HandoutQueries(database), library, me.uid, environment)
    indexer = Indexer(queue, attempts, edges.engine.slots, WorkState(), environment)
    models = ModelSupply(edges.engine.supply, environment)
    models.supplied.subscribe(indexer.mended)
    environment.settings.subscribe(lambda _: models.want())
    environment.settings.subscribe(edges.settings)
    edges.settings(settings)
    worker = Worker(address, me, queue, indexer, WorkerQueries(database), environment)
    beside = [asyncio.create_task(each.run()) for each in (relay, people, models)]
    try:
        await worker.run(stop, drain_s=drain_s)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await edges.engine.analyser.close()
        await people.close()


def library_of(url: str, keys: Path) -> Database:
    """Open the server's library with the key for faces in the folder `keys`. The worker migrates nothing and keeps no file beside it.

    Blocks. Raises ServerError (WorkerVersions unless it works on this schema, WorkerKeyUnfit), StoreError.
    """
    from agent.infrastructure.store.dialects.postgresql import PostgreSql
    from agent.infrastructure.store.server_database import versions_of

    versions_of(url).check()
    seals = worker_seals(keys)
    database = Database(PostgreSql(url, bytes(KEY_BYTES), durable=True, seals=seals))
    try:
        if not schema_state(database).fits:
            raise WorkerVersions
        check_mark(database, seals)
    except BaseException:
        database.close()
        raise
    return database


def stopped_by_signals() -> asyncio.Event:
    """Return an event that the first signal to end sets; the second ends the process at once. Call it inside the event loop."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            log.warning("worker.ends_at_once")
            os._exit(AT_ONCE)  # the server notices: what it holds is put back
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, told)
        except NotImplementedError:  # Windows
            with suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(told))
    return stop


def stop_with_input(stop: asyncio.Event) -> None:
    """Set `stop` when the standard input ends: the parent is gone, however it ended. Call it inside the event loop."""
    loop = asyncio.get_running_loop()

    def wait() -> None:
        while os.read(0, 4096):  # a reader of sys.stdin would hold its lock at the end, and Python would abort
            pass
        with suppress(RuntimeError):  # the loop has ended, too
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _utc_now() -> datetime:
    return datetime.now(UTC)
