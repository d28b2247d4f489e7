"""Answers that many ask for at once, and share: slow ones, of which few are computed at a time, and those that may never come."""

import asyncio
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from agent.infrastructure.core.abandonable_calls import begin

T = TypeVar("T")


class RequestCoalescer(Generic[T]):
    """Waiting takes no thread, so that other requests find one. `at_once` computations run at the same time. After one, the next waits
    `rest` times as long as it took, so that however many ask, other work gets its share.
    """

    def __init__(self, at_once: int, *, rest: float = 0.0) -> None:
        self._slots = asyncio.Semaphore(at_once)
        self._rest = rest
        self._next_at = 0.0
        self._waiting: dict[Hashable, asyncio.Task[T]] = {}

    async def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `make`, which runs in a thread, begun after this call. Raises what it raises.

        A caller who is cancelled leaves the computation to the others.
        """
        if (task := self._waiting.get(key)) is None:
            task = self._waiting[key] = asyncio.create_task(self._run(key, make))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)

    async def _run(self, key: Hashable, make: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            async with self._slots:
                await asyncio.sleep(self._next_at - loop.time())
                del self._waiting[key]  # those who ask from now on may know of later changes
                began = loop.time()
                try:
                    return await asyncio.to_thread(make)
                finally:
                    self._next_at = loop.time() + self._rest * (loop.time() - began)
        except asyncio.CancelledError:  # the loop ends
            self._waiting.pop(key, None)
            raise


def _seen(task: asyncio.Task[T]) -> None:
    """Take its error: if all callers have left, asyncio would log it as never retrieved."""
    if not task.cancelled():
        task.exception()


class SingleFlight(Generic[T]):
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
