"""What is asked of clips is done in this very process, for tools and tests: nothing walls off what it decodes."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from agent.domain.errors import AgentError
from agent.engine.animation_service import OPERATIONS, answer_film
from agent.engine.open_files import Opener
from agent.engine.rpc import Codec
from agent.engine.service import Engine
from agent.engine.video_service import answer_clip

T = TypeVar("T")


class InlineEngine:
    """In the place of a pool: one task at a time, for as long as it takes. It is asked, and answers, as a process is."""

    size: Final = 1

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()

    async def run(
        self,
        operation: str,
        body: object,
        codec: Codec[T],
        check: Callable[[T], T],
        rank: int,
        files: Sequence[Opener] = (),
        limit: float | None = None,
    ) -> T:
        async with self._turn:
            answered = answer_film if operation in OPERATIONS else answer_clip
            answer = await asyncio.to_thread(lambda: answered(self._engine, operation, body, _all_opened(files)))
        return check(codec.load(answer))


def _all_opened(openers: Sequence[Opener]) -> list[int]:
    """All or none."""
    descriptors: list[int] = []
    try:
        for open_file in openers:
            descriptors.append(open_file())
    except AgentError:
        for each in descriptors:
            os.close(each)
        raise
    return descriptors
