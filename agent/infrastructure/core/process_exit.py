"""Ends a process even if some of its threads wait for a drive that never responds: such threads can't be stopped."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

END_S = 5.0  # for threads to end
_TURN_S = 0.0005
_MOST = 16  # most of them wait for a disk or a database: slow answers must leave threads to fast ones, also on two cores


def short_turns() -> None:
    """Let a thread that computes give way ten times sooner than by default, for a process whose threads answer many at once.

    Each step to a database and back waits for such a turn to end, several times for each answer.
    """
    sys.setswitchinterval(_TURN_S)


@contextmanager
def loop_threads(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Give `asyncio.to_thread` threads that the loop does not wait for when it closes; they get `END_S` seconds."""
    threads = ThreadPoolExecutor(_MOST, thread_name_prefix="asyncio")
    loop.set_default_executor(threads)
    try:
        yield
    finally:
        ending = threading.Thread(target=lambda: threads.shutdown(cancel_futures=True), name="ending", daemon=True)
        ending.start()
        ending.join(END_S)
        loop.set_default_executor(ThreadPoolExecutor(1))  # the loop waits for this one when it closes


def leave(code: int) -> int:
    """Return the exit code; if a thread would keep the interpreter alive, end the process here."""
    deadline = time.monotonic() + END_S
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))
            if thread.is_alive():
                for stream in (sys.stdout, sys.stderr):
                    with suppress(OSError, ValueError, AttributeError):
                        stream.flush()
                os._exit(code)
    return code
