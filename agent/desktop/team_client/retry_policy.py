"""Repeats a step of the work with the team's server, later and later while it fails."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from agent.domain.errors import AgentError, SignInRequired, TeamEmbedderDiffers

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_EMBEDDER_PAUSE_S: Final = 600.0


async def repeat(
    step: Callable[[], Awaitable[None]],
    found: Callable[[AgentError | None], None],
    *,
    longest_s: float = _LONGEST_PAUSE_S,
    ends: tuple[type[AgentError], ...] = (SignInRequired,),
) -> None:
    """Until cancelled; `found` gets what each step raises, or None. Raises those errors that it `ends` with."""
    pause = _FIRST_PAUSE_S
    while True:
        try:
            await step()
        except ends:
            raise
        except AgentError as error:
            found(error)
            await asyncio.sleep(_EMBEDDER_PAUSE_S if isinstance(error, TeamEmbedderDiffers) else pause)
            pause = min(longest_s, pause * 2)
        else:
            pause = _FIRST_PAUSE_S
            found(None)
