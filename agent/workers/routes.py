"""Routes of a team server's workers and its queue, and what they answer."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import FastAPI, Path

from agent.core.i18n import Texts
from agent.domain.errors import NotFound
from agent.web.access import Scope, needs
from agent.web.base_schema import Schema
from agent.web.schemas import Problem
from agent.workers.queries.worker_rows import WorkerQueries
from agent.workers.records import WorkerSeen


class WorkerOut(Schema):
    """One run of a worker; those that ended stay for a day."""

    name: str
    host: str
    """the name of its computer"""
    state: Literal["idle", "working", "blocked", "draining", "gone"]
    """`blocked`: it can't work now, and gave its photos back"""
    since: datetime
    """when it started"""
    seen_at: datetime
    done: int
    """photos it has finished"""
    errors: int
    """photos that failed or were set aside"""
    rate: float
    """photos in the last minute"""
    draining: bool
    """it was asked to finish and end"""
    problem: Problem | None
    """why it is blocked"""

    @classmethod
    def of(cls, seen: WorkerSeen, texts: Texts) -> Self:
        return cls.from_record(seen, state=seen.state.value, problem=Problem.maybe(seen.problem, texts))


class Workers(Schema):
    items: tuple[WorkerOut, ...]


class QueuePart(Schema):
    """The photos of one priority."""

    priority: int
    """lower ones go first: 0 a person waits for them, 10 they are new, 20 they are from an archive"""
    waiting: int
    running: int
    failed: int
    oldest: datetime | None
    """since when the oldest waiting one waits"""


class Queue(Schema):
    items: tuple[QueuePart, ...]


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
