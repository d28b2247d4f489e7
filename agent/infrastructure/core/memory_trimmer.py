"""Releases memory after the agent has been idle for a while: most of it only caches the next answer."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

log = structlog.get_logger()

CALM = 3  # consecutive checks without use


class MemoryTrimmer:
    """Call `look` every few seconds while no work is in progress."""

    def __init__(self, uses: Callable[[], int] = lambda: 0, give_back: Sequence[Callable[[], None]] = ()) -> None:
        """`uses` returns another number after each use of the library; `give_back` runs in this order in a thread and may block."""
        self._uses = uses
        self._give_back = give_back
        self._forget: list[Callable[[], None]] = []
        self._seen = -1
        self._calm = 0

    def also(self, forget: Callable[[], None]) -> None:
        """Add a step that runs first, in the event loop: it must not block."""
        self._forget.append(forget)

    async def look(self) -> None:
        """Release memory once per idle period."""
        if (uses := self._uses()) != self._seen:
            self._seen, self._calm = uses, 0
        elif self._calm < CALM:
            self._calm += 1
            if self._calm == CALM:
                await self.now()

    async def now(self) -> None:
        """Release memory at once, as after deleting data that caches may contain. Never raises."""
        try:
            for forget in self._forget:
                forget()
            for give_back in self._give_back:
                await asyncio.to_thread(give_back)
        except Exception:  # unreleased memory is no reason to end the agent
            log.exception("rest.failed")


async def trim_while_busy(release: Callable[[], None], every_s: float = 10.0) -> None:
    """Release free memory regularly, until cancelled: a server is seldom idle, and would keep what its largest answers took."""
    while True:
        await asyncio.sleep(every_s)
        await asyncio.to_thread(release)
