"""A question that may never be answered, asked once at a time: other callers meanwhile wait for the same answer."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from agent.core.hanging_calls import begin

T = TypeVar("T")


class OneCall(Generic[T]):
    """`ask` blocks, in a thread of its own that can be abandoned; there is never a second one. `limit_s` is how long an asker waits."""

    def __init__(self, ask: Callable[[], T], limit_s: float) -> None:
        self._ask = ask
        self._limit_s = limit_s
        self._turn = threading.Lock()
        self._running: Future[T] | None = None

    def get(self) -> T:
        """Blocks. Raises TimeoutError, and what `ask` raises."""
        return self._current().result(self._limit_s)

    async def wait(self) -> T:
        """The same for an event loop."""
        async with asyncio.timeout(self._limit_s):
            return await asyncio.shield(asyncio.wrap_future(self._current()))

    def _current(self) -> "Future[T]":
        with self._turn:
            if self._running is None or self._running.done():
                self._running = begin(self._ask)
            return self._running
