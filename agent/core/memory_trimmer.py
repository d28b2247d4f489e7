"""Gives memory back once nobody has asked for anything for a while: most of what a busy agent holds only makes the next answer quicker."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

log = structlog.get_logger()

CALM = 3  # looks in a row that find nothing was asked for


class Rest:
    """`look` is called every few seconds while no work is under way."""

    def __init__(self, uses: Callable[[], int] = lambda: 0, give_back: Sequence[Callable[[], None]] = ()) -> None:
        """`uses` is another number whenever the library was used; `give_back` is what to do, in this order, in a thread: it may block."""
        self._uses = uses
        self._give_back = give_back
        self._forget: list[Callable[[], None]] = []
        self._seen = -1
        self._calm = 0

    def also(self, forget: Callable[[], None]) -> None:
        """Do this, too, before all else, in the event loop: it must not block."""
        self._forget.append(forget)

    async def look(self) -> None:
        """Give back what is held, once for each time of calm."""
        if (uses := self._uses()) != self._seen:
            self._seen, self._calm = uses, 0
        elif self._calm < CALM:
            self._calm += 1
            if self._calm == CALM:
                await self.now()

    async def now(self) -> None:
        """Give back at once, as when something was deleted that caches may hold. Never raises."""
        try:
            for forget in self._forget:
                forget()
            for give_back in self._give_back:
                await asyncio.to_thread(give_back)
        except Exception:  # memory that stays is no reason to end the agent
            log.exception("rest.failed")
