"""Work in the background: tasks that nothing waits for, steps that are repeated, and what is started again when it fails."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from agent.domain.errors import AgentError, Unexpected

log = structlog.get_logger()

AGAIN_S: Final = 10.0


class BackgroundTasks(set[asyncio.Task[None]]):
    """The tasks that run now. It keeps them: asyncio itself would let the garbage collector take a task that nothing waits for."""

    def start(self, work: Coroutine[Any, Any, None], *, event: str = "") -> asyncio.Task[None]:
        """Start a task in the event loop of the caller. With an `event`, an AgentError of the work is logged as that."""
        task = asyncio.get_running_loop().create_task(_logged(work, event) if event else work)
        self.add(task)
        task.add_done_callback(self.discard)
        return task

    async def ended(self) -> None:
        """Wait until none runs, also none that is started meanwhile. Their exceptions are not raised."""
        while self:
            await asyncio.wait(self)  # `gather` gives ended ones no turn to leave, since Python 3.12


async def run_periodically(step: Callable[[], Awaitable[object]], pause_s: Callable[[], float], *, event: str) -> None:
    """Repeat a step until cancelled. An AgentError is logged as `event`, and the next step tries again."""
    while True:
        await _logged(step(), event)
        await asyncio.sleep(pause_s())


async def run_supervised(name: str, run: Callable[[], Awaitable[None]]) -> None:
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


async def _logged(work: Awaitable[object], event: str) -> None:
    try:
        await work
    except AgentError as error:
        log.warning(event, code=error.code)
