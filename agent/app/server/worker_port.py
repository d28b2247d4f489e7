"""The operations port of a worker that runs by itself; the server's own workers need none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from agent.app.engines import model_store
from agent.app.metric_families.thresholds import OF_WORKER, thresholds
from agent.app.server.metrics.server import WORKER, ServerFigures
from agent.app.server.operations import Operations
from agent.app.server.readiness import Readiness
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.interfaces.web.probe_server import operations_port
from agent.interfaces.web.request_counts import RequestCounts


@contextlib.asynccontextmanager
async def worker_port(
    file: SettingsFile, paths: AppPaths, database: Database, stop: asyncio.Event, faces: Callable[[], int]
) -> AsyncIterator[None]:
    """Answer while inside, if the settings name a port. `/metrics` takes the token of the file alone. Raises SettingsInvalid.

    `faces` are those that the worker's matcher holds.
    """
    wanted = file.snapshot.worker
    if not wanted.operations_port:
        yield
        return

    def settings() -> Settings:
        return file.snapshot

    figures = ServerFigures(WORKER, paths.data, RequestCounts(), thresholds=lambda _: thresholds(settings(), OF_WORKER, faces()))
    operations = Operations(Readiness(paths, model_store(paths), settings), settings, stop.is_set, figures)
    operations.database = database
    async with operations_port(wanted.operations_host, wanted.operations_port, operations.respond, "worker"):
        yield
