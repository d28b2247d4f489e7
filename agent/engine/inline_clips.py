"""Clips are redacted in this very process, for tools and tests: nothing walls off what it decodes."""

import asyncio
import os
from collections.abc import Sequence
from functools import partial

from agent.app.ports import DrawPart, JoinClip, Joined
from agent.domain.clips import Clip, Part, Seen
from agent.domain.errors import AgentError
from agent.engine import clip_wire as wire
from agent.engine.clip_service import answer_clip
from agent.engine.files import Opener, new_file, open_photo
from agent.engine.service import Engine


class InlineClips:
    """A ClipRenderer without a child process; one task at a time. What it is asked goes the same way as to a process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = asyncio.Lock()

    @property
    def at_once(self) -> int:
        return 1

    async def probe(self, path: str) -> Clip:
        return wire.check_clip(wire.CLIP.load(await self._answer("clip_probe", None, [partial(open_photo, path)])))

    async def look(self, path: str, part: Part, tick: float) -> Seen:
        body = wire.LOOK.dump(wire.Look(part, tick))
        return wire.check_seen(wire.SEEN.load(await self._answer("clip_look", body, [partial(open_photo, path)])), part)

    async def draw(self, task: DrawPart) -> int:
        body = wire.DRAW.dump(wire.Draw(task.part, task.ways, task.format))
        async with new_file(task.output) as output:
            answer = await self._answer("clip_draw", body, [partial(open_photo, task.path), output.open])
            return wire.check_drawn(wire.DRAWN.load(answer)).frames

    async def join(self, task: JoinClip) -> Joined:
        body = wire.JOIN.dump(wire.Join(task.pieces, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), partial(open_photo, task.made), output.open]
            return wire.check_joined(wire.JOINED.load(await self._answer("clip_join", body, files)))

    async def _answer(self, name: str, body: object, openers: Sequence[Opener]) -> object:
        async with self._turn:
            return await asyncio.to_thread(lambda: answer_clip(self._engine, name, body, _all_opened(openers)))


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
