"""Puts back, every few seconds, what workers hold that are gone."""

import asyncio
from datetime import timedelta

import structlog

from agent.domain.errors import StoreError
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.service_context import Environment
from agent.server.workers.queries.worker_rows import WorkerQueries

log = structlog.get_logger()

EVERY_S = 5.0
SILENT_S = 30.0  # a worker says something every few seconds


class Sweeper:
    def __init__(self, workers: WorkerQueries, environment: Environment, *, silent_s: float) -> None:
        self.swept = ChangeSignal()
        """there may be photos to hand out"""
        self._workers = workers
        self._environment = environment
        self._silent_s = silent_s

    async def run(self) -> None:
        """Run until cancelled. While the database can't be reached no worker can say anything: silence counts from when it answers."""
        answers_since: float | None = None
        while True:
            now = self._environment.monotonic()
            try:
                if answers_since is None:
                    await asyncio.to_thread(self._workers.workers)
                    answers_since = now
                elif now - answers_since >= self._silent_s:
                    await self._sweep()
            except StoreError as error:
                log.warning("work.not_swept", code=error.code)
                answers_since = None
            self.swept.notify()
            await asyncio.sleep(EVERY_S)

    async def _sweep(self) -> None:
        silent = timedelta(seconds=self._silent_s)
        events = await asyncio.to_thread(self._workers.sweep, silent=silent, now=self._environment.clock())
        self._environment.bus.publish(events)
