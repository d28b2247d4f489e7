"""One request at a time for each upload: a newer one ends the older, whose connection may be dead without the server knowing."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Superseded(Exception):
    """The next request for the same upload took over."""


class Turns:
    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[Any]] = {}

    async def take(self, key: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Do the work after the one before was cancelled and has ended. Raises Superseded when the next one takes over."""
        while (before := self._running.get(key)) is not None:
            before.cancel()
            await asyncio.wait({before})
        task = asyncio.ensure_future(work())
        self._running[key] = task
        task.add_done_callback(lambda _: self._running.pop(key, None))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:  # the server ends
            task.cancel()
            await asyncio.wait({task})
            raise
        if task.cancelled():
            raise Superseded
        return task.result()

    def end(self, key: str) -> None:
        """Cancel the one that runs: another process took over."""
        if (running := self._running.get(key)) is not None:
            running.cancel()


async def run_shielded(call: Callable[[], T]) -> T:
    """Do something in a thread; if the caller is cancelled, wait for its end first, so that nothing goes on beside the next request."""
    task = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        raise
