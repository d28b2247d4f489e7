"""Ensures that one process at a time uses the library: the agent, or a command without an agent.

Servers on a database of their team's share it: each of them keeps commands out, but not the others.
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from agent.domain.errors import AlreadyRunning, CommandRunning
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.paths import AppPaths

# Of folders in the data folder with copies of a library, for as long as a command works alone. One that is left by a killed command must
# go: what is deleted from the library would stay in the copy.
SCRATCH: Final = "move-"
_CHECKED_S = 0.5  # another process may be looking whether the lock is free


@contextmanager
def alone(paths: AppPaths, *, command: bool = True, wait_s: float = 0) -> Iterator[None]:
    """Hold the instance's lock, as a `command` or as the agent.

    Raises AlreadyRunning, or CommandRunning if a command holds it, and StoreError if it can't be written.
    """
    paths.create()
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(paths.lock, timeout=wait_s if command else max(wait_s, _CHECKED_S)))
            if command:
                held.enter_context(FileLock(paths.command_lock))  # free, except while another process checks it
        except Timeout as error:
            raise (CommandRunning if _held(paths.command_lock) else AlreadyRunning) from error
        except OSError as error:
            raise store_error(error) from error
        _clear(paths)
        yield


@contextmanager
def together(paths: AppPaths) -> Iterator[None]:
    """Hold the instance's lock as one of several servers, each an instance with a name of its own.

    Raises AlreadyRunning if this instance runs, CommandRunning, StoreError. On Windows there is one server.
    """
    if sys.platform == "win32":
        with alone(paths, command=False):
            yield
        return
    paths.create()
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(paths.instance_lock, timeout=0))
            held.enter_context(_shared(paths.lock))
        except Timeout as error:
            raise (CommandRunning if _held(paths.command_lock) else AlreadyRunning) from error
        except OSError as error:
            raise store_error(error) from error
        _clear(paths)
        yield


def is_held(paths: AppPaths) -> bool:
    """Return whether an agent or a server has this home, and no command. Raises nothing."""
    try:
        return paths.lock.exists() and _held(paths.lock) and not _held(paths.command_lock)
    except OSError:
        return False


def _clear(paths: AppPaths) -> None:
    for left in paths.data.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


if sys.platform != "win32":
    import fcntl

    @contextmanager
    def _shared(lock: Path) -> Iterator[None]:
        """Share a lock that a FileLock takes for itself. Raises Timeout if one holds it."""
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + _CHECKED_S
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise Timeout(str(lock)) from error
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)


def _held(lock: Path) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
