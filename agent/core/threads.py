"""Ends a process although threads of it wait for a drive that never answers: nothing else can end such a thread."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

END_S = 5.0  # for threads to come to their end


@contextmanager
def loop_threads(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Inside, `asyncio.to_thread` has threads that the loop does not wait for when it is closed; they are given `END_S` seconds."""
    threads = ThreadPoolExecutor(thread_name_prefix="asyncio")
    loop.set_default_executor(threads)
    try:
        yield
    finally:
        ending = threading.Thread(target=lambda: threads.shutdown(cancel_futures=True), name="ending", daemon=True)
        ending.start()
        ending.join(END_S)
        loop.set_default_executor(ThreadPoolExecutor(1))  # what the loop waits for when it is closed


def leave(code: int) -> int:
    """The exit code, to return it; where a thread would keep the interpreter from its end, the process ends here."""
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
