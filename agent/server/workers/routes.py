"""Routes of a team server's workers and its queue."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Path

from agent.domain.errors import NotFound
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.access import Scope, needs
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.schemas import Queue, QueuePart, WorkerOut, Workers


def worker_routes(api: FastAPI, workers: WorkerQueries, texts: Callable[[], Texts]) -> None:
    """Add the routes to `api`."""

    @api.get("/api/workers", openapi_extra=needs(Scope.SYSTEM_READ))
    async def all_workers() -> Workers:
        """Return the workers, first those that run."""
        return Workers(items=tuple(WorkerOut.of(each, texts()) for each in await asyncio.to_thread(workers.workers)))

    @api.post("/api/workers/{name}/drain", status_code=202, openapi_extra=needs(Scope.WORKERS_MANAGE))
    async def drain(name: Annotated[str, Path(max_length=200)]) -> None:
        """Ask a worker to finish its photos and end. One that the server started is started again."""
        if not await asyncio.to_thread(workers.drain, name):
            raise NotFound

    @api.get("/api/queue", openapi_extra=needs(Scope.STATUS_READ))
    async def queue() -> Queue:
        """Return what waits, runs and has failed, by priority."""
        return Queue(items=tuple(map(QueuePart.from_record, await asyncio.to_thread(workers.queue))))
