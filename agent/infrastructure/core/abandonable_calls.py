"""Calls that may never return, such as queries of a disconnected drive: each has a thread of its own that can be abandoned.

The loop's own threads are few and shared, and neither the loop nor the program can end before they do.
"""

import asyncio
import errno
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import IO, TYPE_CHECKING, Any, TypeVar

from agent.domain.errors import SourceNoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
F = TypeVar("F", bound=IO[bytes])

# Threads that wait for ever can't be stopped. Beyond this many, no further call of a loop starts until one of them is free.
_MOST, _TURN_S = 16, 0.01

# A drive that has not responded by then counts as disconnected; a command waits as long as for the agent.
ANSWER_S = 10.0
COMMAND_ANSWER_S = 30.0

_SAYS_SOMETHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EINVAL)

_free = threading.BoundedSemaphore(_MOST)


class Stopped(Exception):
    """The result is no longer wanted."""


class _Progress:
    """When long work was last heard of, and whether its result is still wanted."""

    def __init__(self) -> None:
        self.unwanted = False
        self.heard = time.monotonic()

    def left_s(self) -> float:
        """Seconds until its silence counts as a drive that doesn't answer. Raises SourceNoAnswer after that."""
        left = self.heard + COMMAND_ANSWER_S - time.monotonic()
        if left <= 0:
            raise SourceNoAnswer
        return left


_progress: ContextVar[_Progress | None] = ContextVar("progress", default=None)


def begin(work: Callable[[], T], ended: Callable[[], None] = lambda: None) -> "Future[T]":
    """Run a call in a thread that nothing waits for; `ended` is called there at its end. Cancel nothing: the thread can't be stopped."""
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # passed to the waiting caller
            ended()
            answer.set_exception(error)
        else:
            ended()
            answer.set_result(result)

    threading.Thread(target=partial(copy_context().run, run), name="aside", daemon=True).start()
    return answer


async def call_with_timeout(question: Callable[[], T], limit_s: float) -> T:
    """Return the result of a blocking call.

    Raises the call's own error, and TimeoutError after `limit_s` seconds, which include waiting for a free thread.
    """
    async with asyncio.timeout(limit_s):
        return await asyncio.wrap_future(begin(question, (await _turn()).release))


async def close_if_cancelled(opening: Coroutine[Any, Any, F]) -> F:
    """Await a file that a thread opens; one that comes after this task was cancelled is closed."""
    opened = asyncio.ensure_future(opening)
    try:
        return await asyncio.shield(opened)
    except asyncio.CancelledError:
        opened.add_done_callback(_close)
        raise


def _close(opened: "asyncio.Future[F]") -> None:
    if not opened.cancelled() and opened.exception() is None:
        opened.result().close()


async def is_online_only_within_timeout(online_only: Callable[[str], bool], path: str) -> bool:
    """Return whether a file is online-only; False if its drive does not respond, because reading it will report the reason."""
    try:
        return await call_with_timeout(partial(online_only, path), ANSWER_S)
    except TimeoutError:
        return False


async def cancellable(work: Callable[[], T]) -> T:
    """Return the result of long work, which calls `raise_if_cancelled` often, and ends soon after this task is cancelled.

    Raises what `work` raises, and SourceNoAnswer after a silence of `COMMAND_ANSWER_S`.
    """
    try:
        async with asyncio.timeout(COMMAND_ANSWER_S):
            turn = await _turn()
    except TimeoutError as error:
        raise SourceNoAnswer from error
    with _followed() as progress:
        answer = asyncio.wrap_future(begin(work, turn.release))
        try:
            while not answer.done():
                await asyncio.wait([answer], timeout=progress.left_s())
            return answer.result()
        finally:
            answer.cancel()  # so that an answer that comes later is dropped


def cancellable_sync(work: Callable[[], T]) -> T:
    """Do the same in synchronous code."""
    with _followed() as progress:
        answer = begin(work)
        while True:
            left_s = progress.left_s()
            try:
                return answer.result(left_s)
            except TimeoutError:
                if answer.done():  # by an error of its own, or just now
                    return answer.result()


def raise_if_cancelled() -> None:
    """Report progress; raise Stopped if the result of this work is no longer wanted. Outside of `cancellable` work, do nothing."""
    progress = _progress.get()
    if progress is not None:
        progress.heard = time.monotonic()
        if progress.unwanted:
            raise Stopped


def answered(question: Callable[[], object]) -> None:
    """Wait for `question` to end. Blocks, for `COMMAND_ANSWER_S` at most.

    Raises SourceNoAnswer if it does not end in time, or with an error of the drive itself. An error about the path is
    ignored and will occur again. Raises any other error of `question`.
    """
    try:
        cancellable_sync(question)
    except ValueError:
        return
    except OSError as error:
        if error.errno not in _SAYS_SOMETHING:
            raise SourceNoAnswer from error


@contextmanager
def _followed() -> "Iterator[_Progress]":
    progress = _Progress()
    token = _progress.set(progress)
    try:
        yield progress
    finally:
        _progress.reset(token)
        progress.unwanted = True


async def _turn() -> threading.BoundedSemaphore:
    """Wait for a free thread, which the returned semaphore counts."""
    free = _free
    while not free.acquire(blocking=False):  # noqa: ASYNC110 - threads free it, of several loops
        await asyncio.sleep(_TURN_S)
    return free
