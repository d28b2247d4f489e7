"""Calls functions that may never return, such as queries of a disconnected drive, in separate threads."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")

# Threads that wait for ever can't be stopped. Beyond this many, no further call starts until one of them is free.
_MOST, _TURN_S = 16, 0.01

# A drive that has not responded by then counts as disconnected.
ANSWER_S = 10.0

_free = threading.BoundedSemaphore(_MOST)


async def call_with_timeout(question: Callable[[], T], limit_s: float) -> T:
    """Return the result of a blocking call.

    Raises the call's own error, and TimeoutError after `limit_s` seconds, which include waiting for a free thread.

    The loop's own threads are few and shared, and neither the loop nor the program can end before they do.
    """
    async with asyncio.timeout(limit_s):
        free = _free
        while not free.acquire(blocking=False):  # noqa: ASYNC110 - threads free it, of several loops
            await asyncio.sleep(_TURN_S)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        threading.Thread(target=_ask, args=(question, answer, free), name="aside", daemon=True).start()
        return await answer


async def told_online_only(online_only: Callable[[str], bool], path: str) -> bool:
    """Return whether a file is online-only; False if its drive does not respond, because reading it will report the reason."""
    try:
        return await call_with_timeout(partial(online_only, path), ANSWER_S)
    except TimeoutError:
        return False


def _ask(question: Callable[[], T], answer: "asyncio.Future[T]", free: threading.BoundedSemaphore) -> None:
    try:
        tell = partial(answer.set_result, question())
    except Exception as error:  # passed to the waiting caller
        tell = partial(answer.set_exception, error)
    finally:
        free.release()  # the slot taken above: an answer may come much later
    with suppress(RuntimeError):  # the loop is closed
        answer.get_loop().call_soon_threadsafe(lambda: None if answer.done() else tell())
