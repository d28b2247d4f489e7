"""Runs long work in a thread that ends soon after its task is cancelled."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_unwanted: ContextVar[threading.Event | None] = ContextVar("unwanted", default=None)


class Stopped(Exception):
    """The result is no longer wanted."""


async def stoppable(work: Callable[[], T]) -> T:
    """Return the result of `work`, which calls `stop_if_unwanted` often, in one of the loop's threads. Raises what `work` raises."""
    unwanted = threading.Event()

    def run() -> T:
        _unwanted.set(unwanted)  # in the context of this call only
        return work()

    try:
        return await asyncio.to_thread(run)
    except asyncio.CancelledError:
        unwanted.set()
        raise


def stop_if_unwanted() -> None:
    """Raise Stopped in a thread of `stoppable` whose task was cancelled; elsewhere do nothing."""
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted.is_set():
        raise Stopped
