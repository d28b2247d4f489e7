"""The operations port of a worker that runs by itself; the server's own workers need none."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from agent.core.config_file import SettingsFile
from agent.core.paths import AppPaths
from agent.core.settings import Settings
from agent.main.engines import model_store
from agent.main.server.figures.server import WORKER, ServerFigures
from agent.main.server.operations import Operations
from agent.main.server.readiness import Readiness
from agent.store.database import Database
from agent.web.operations_port import operations_port
from agent.web.request_counts import RequestCounts


@contextlib.asynccontextmanager
async def worker_port(file: SettingsFile, paths: AppPaths, database: Database, stop: asyncio.Event) -> AsyncIterator[None]:
    """Answer while inside, if the settings name a port. `/metrics` takes the token of the file alone. Raises SettingsInvalid."""
    wanted = file.snapshot.worker
    if not wanted.operations_port:
        yield
        return

    def settings() -> Settings:
        return file.snapshot

    figures = ServerFigures(WORKER, paths.data, RequestCounts())
    operations = Operations(Readiness(paths, model_store(paths), settings), settings, stop.is_set, figures)
    operations.database = database
    async with operations_port(wanted.operations_host, wanted.operations_port, operations.respond, "worker"):
        yield
