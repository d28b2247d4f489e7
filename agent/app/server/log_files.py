"""The logs of a server: here, so that commands beside a server need not load all of it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.log_rotation import rotate
from agent.infrastructure.core.program_settings import LogSettings

log = structlog.get_logger()

SERVER_LOG, POSTGRES_LOG = "server.log", "postgres.log"
_EVERY_S = 60.0


def rotate_or_warn(path: Path, settings: LogSettings) -> None:
    """Rotate the log of another program. A log that can't be rotated stops nothing."""
    try:
        rotate(path, settings)
    except OSError as error:
        log.warning("log.not_rotated", code=store_error(error).code)


@asynccontextmanager
async def rotating(path: Path, settings: Callable[[], LogSettings], every_s: float = _EVERY_S) -> AsyncIterator[None]:
    """Rotate the log of a program that is started in the block: before it and, but for Windows, all the while."""
    await asyncio.to_thread(rotate_or_warn, path, settings())
    task = asyncio.create_task(_rotate_again(path, settings, every_s))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _rotate_again(path: Path, settings: Callable[[], LogSettings], every_s: float) -> None:
    while sys.platform != "win32":  # there the other program would not write at the new end
        await asyncio.sleep(every_s)
        await asyncio.to_thread(rotate_or_warn, path, settings())
