"""Repeats a step of the work with the team's server, later and later while it fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from agent.core.observable import Notice
from agent.domain.errors import AgentError, Forbidden, SignInRequired, TeamMayNotShare

log = structlog.get_logger()

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0


class Repeating:
    """`changed` is notified when the problem is another, which is logged as `event`."""

    def __init__(self, changed: Notice, event: str) -> None:
        self.problem: AgentError | None = None
        self._changed = changed
        self._event = event

    async def run(self, step: Callable[[], Awaitable[None]]) -> None:
        """Until cancelled. Raises SignInRequired."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await step()
            except SignInRequired:
                raise
            except AgentError as error:
                self._found(TeamMayNotShare() if isinstance(error, Forbidden) else error)
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE_S, pause * 2)
            else:
                self._found(None)
                pause = _FIRST_PAUSE_S

    def _found(self, problem: AgentError | None) -> None:
        if (problem and problem.code) != (self.problem and self.problem.code):
            if problem is not None:
                log.warning(self._event, code=problem.code)
            self.problem = problem
            self._changed.notify()
