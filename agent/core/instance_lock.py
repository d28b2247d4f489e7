"""Ensures that one process at a time uses the library: the agent, or a command without an agent."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from agent.core.files import store_error
from agent.core.paths import AppPaths
from agent.domain.errors import AlreadyRunning, CommandRunning


@contextmanager
def alone(paths: AppPaths, *, command: bool = True, wait_s: float = 0) -> Iterator[None]:
    """Hold the instance's lock, as a `command` or as the agent.

    Raises AlreadyRunning, or CommandRunning if a command holds it, and StoreError if it can't be written.
    """
    paths.create()
    with ExitStack() as held:
        try:
            held.enter_context(FileLock(paths.lock, timeout=wait_s))
            if command:
                held.enter_context(FileLock(paths.command_lock))  # free, except while another process checks it
        except Timeout as error:
            raise (CommandRunning if _held(paths.command_lock) else AlreadyRunning) from error
        except OSError as error:
            raise store_error(error) from error
        yield


def _held(lock: Path) -> bool:
    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
