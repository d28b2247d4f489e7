"""Asks a child process which team servers announce themselves in the local network."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel, Field, ValidationError

from agent.core.child import Child, ChildGone, ChildTimeout, own_command
from agent.domain.errors import TeamSearchFailed
from agent.team.discovery import MOST, SEARCH_S
from agent.web.announcement import FoundServer

CHILD: Final = "find-servers"
_START_S: Final = 20.0  # on a busy computer


class _Answer(BaseModel):
    servers: Annotated[list[FoundServer], Field(max_length=MOST)]


class ServerSearch:
    """One search at a time: questions that come meanwhile get its answer. Use it from one event loop."""

    def __init__(self, command: Sequence[str] | None = None, seconds: float = SEARCH_S) -> None:
        self._command = command or own_command(CHILD)
        self._seconds = seconds
        self._running: asyncio.Task[tuple[FoundServer, ...]] | None = None

    async def servers(self) -> tuple[FoundServer, ...]:
        """Return what is announced now, after some seconds. Raises TeamSearchFailed."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._search())
        return await asyncio.shield(self._running)

    async def _search(self) -> tuple[FoundServer, ...]:
        try:
            child = await Child.start(self._command, desktop=False, most_parts=100 * MOST)
            try:
                answer = await child.request({"seconds": self._seconds}, timeout=_START_S + self._seconds)
            finally:
                await child.kill()
            found = _Answer.model_validate(answer).servers
        except (ChildGone, ChildTimeout, ValidationError) as error:
            raise TeamSearchFailed from error
        return tuple(found)
