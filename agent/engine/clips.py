"""Clips are redacted by the pool's processes."""

import asyncio
from functools import partial

from agent.app.ports import DrawPart, JoinClip, Joined
from agent.domain.clips import Clip, Part, Seen
from agent.engine import clip_wire as wire
from agent.engine.files import Opener, new_file, open_photo
from agent.engine.pool import EnginePool

_IN_LINE = 1
# Seconds: a part is short, but of any size; and the whole file is read for its digest, and once more to be joined.
_LIMIT_S, _WHOLE_LIMIT_S = 600.0, 3600.0


class PoolClips:
    """A ClipRenderer over the pool."""

    def __init__(self, pool: EnginePool) -> None:
        self._pool = pool

    @property
    def at_once(self) -> int:
        return self._pool.size

    async def probe(self, path: str) -> Clip:
        files: list[Opener] = [partial(open_photo, path)]
        return await self._pool.run("clip_probe", None, wire.CLIP, wire.check_clip, _IN_LINE, files, _WHOLE_LIMIT_S)

    async def look(self, path: str, part: Part, tick: float) -> Seen:
        body = wire.LOOK.dump(wire.Look(part, tick))
        files: list[Opener] = [partial(open_photo, path)]
        return await self._pool.run("clip_look", body, wire.SEEN, lambda seen: wire.check_seen(seen, part), _IN_LINE, files, _LIMIT_S)

    async def draw(self, task: DrawPart) -> int:
        body = wire.DRAW.dump(wire.Draw(task.part, task.ways, task.format))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), output.open]
            drawn = await self._pool.run("clip_draw", body, wire.DRAWN, wire.check_drawn, _IN_LINE, files, _LIMIT_S)
            await asyncio.to_thread(output.check, drawn.size)
        return drawn.frames

    async def join(self, task: JoinClip) -> Joined:
        body = wire.JOIN.dump(wire.Join(task.pieces, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), partial(open_photo, task.made), output.open]
            joined = await self._pool.run("clip_join", body, wire.JOINED, wire.check_joined, _IN_LINE, files, _WHOLE_LIMIT_S)
            await asyncio.to_thread(output.check, joined.copy_size)
        return joined
