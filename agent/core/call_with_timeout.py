"""Asks what may never answer, such as a drive that is gone, in threads that nothing else needs."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")

# Threads that wait for something that never answers can't be ended. Beyond this many nothing more is asked until one of them is free.
_MOST, _TURN_S = 16, 0.01

# A drive that has not answered by then is away.
ANSWER_S = 10.0

_free = threading.BoundedSemaphore(_MOST)


async def aside(question: Callable[[], T], limit_s: float) -> T:
    """The answer to what blocks.

    Raises what `question` raises, and TimeoutError after `limit_s` seconds, in which its turn has to come, too.

    The loop's own threads are few, all the others need them too, and neither the loop nor the program ends before they do.
    """
    async with asyncio.timeout(limit_s):
        free = _free
        while not free.acquire(blocking=False):  # noqa: ASYNC110 - threads free it, of several loops
            await asyncio.sleep(_TURN_S)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        threading.Thread(target=_ask, args=(question, answer, free), name="aside", daemon=True).start()
        return await answer


async def told_online_only(online_only: Callable[[str], bool], path: str) -> bool:
    """What `online_only` says of a file; no if its drive does not answer, for whoever reads it gets to name the reason."""
    try:
        return await aside(partial(online_only, path), ANSWER_S)
    except TimeoutError:
        return False


def _ask(question: Callable[[], T], answer: "asyncio.Future[T]", free: threading.BoundedSemaphore) -> None:
    try:
        tell = partial(answer.set_result, question())
    except Exception as error:  # told to whoever waits
        tell = partial(answer.set_exception, error)
    finally:
        free.release()  # the one that was taken: an answer may come long after
    with suppress(RuntimeError):  # the loop is closed
        answer.get_loop().call_soon_threadsafe(lambda: None if answer.done() else tell())
