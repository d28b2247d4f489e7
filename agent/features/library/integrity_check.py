"""Reads the whole library at the start and once a day, so that a damaged page is reported before it is needed."""

import asyncio
from collections.abc import Callable

import structlog

from agent.domain.errors import StoreDamaged, StoreError
from agent.infrastructure.core.observable import Observable

log = structlog.get_logger()

EVERY_S = 86_400.0
RETRY_S = 600.0


class IntegrityCheck:
    def __init__(self, look: Callable[[], bool]) -> None:
        """`look` reads the whole library, blocks, returns whether it is intact, and raises StoreError."""
        self._look = look
        self.problem = Observable[StoreDamaged | None](None)

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            wait = EVERY_S
            try:
                sound = await asyncio.to_thread(self._look)
            except StoreError as error:
                log.warning("library.unchecked", code=error.code)
                wait = RETRY_S
            else:
                self._found(sound)
            await asyncio.sleep(wait)

    def _found(self, sound: bool) -> None:
        if sound is (self.problem.value is None):
            return
        if not sound:
            log.error("library.damaged")
        self.problem.set(None if sound else StoreDamaged())
