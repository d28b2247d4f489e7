"""Asks what may never answer, such as a drive that is gone, in threads that nothing else needs."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")

# Threads that wait for something that never answers can't be ended. Beyond this many nothing more is asked.
_MOST = 16

# A drive that has not answered by then is away.
ANSWER_S = 10.0

_free = threading.BoundedSemaphore(_MOST)


async def aside(question: Callable[[], T], limit_s: float) -> T:
    """The answer to what blocks.

    Raises what `question` raises, and TimeoutError after `limit_s` seconds, or at once if too many wait already.

    The loop's own threads are few, all the others need them too, and neither the loop nor the program ends before they do.
    """
    if not _free.acquire(blocking=False):
        raise TimeoutError
    answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    threading.Thread(target=_ask, args=(question, answer), name="aside", daemon=True).start()
    async with asyncio.timeout(limit_s):
        return await answer


async def told_online_only(online_only: Callable[[str], bool], path: str) -> bool:
    """What `online_only` says of a file; no if its drive does not answer, for whoever reads it gets to name the reason."""
    try:
        return await aside(partial(online_only, path), ANSWER_S)
    except TimeoutError:
        return False


def _ask(question: Callable[[], T], answer: "asyncio.Future[T]") -> None:
    try:
        tell = partial(answer.set_result, question())
    except Exception as error:  # told to whoever waits
        tell = partial(answer.set_exception, error)
    finally:
        _free.release()
    with suppress(RuntimeError):  # the loop is closed
        answer.get_loop().call_soon_threadsafe(lambda: None if answer.done() else tell())
