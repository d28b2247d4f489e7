"""Keeps up work in the background that nothing waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from agent.domain.errors import AgentError, Unexpected

log = structlog.get_logger()

AGAIN_S: Final = 10.0


async def keep_up(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run it until cancelled. If it fails, that is logged with its code, and it is started again."""
    while True:
        try:
            await run()
        except Exception as error:  # a defect of the work must not end it for good
            found = error if isinstance(error, AgentError) else Unexpected(kind=type(error).__name__)
            log.error("work.failed", work=name, code=found.code, exc_info=error)
        else:
            return
        await asyncio.sleep(AGAIN_S)
