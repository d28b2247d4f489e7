"""Films are redacted by engines as clips are, but each in one go: a frame can't be read without those before it."""

import asyncio
from functools import partial
from typing import Final

from agent.app.ports import DrawPart, JoinClip, Joined
from agent.domain.clips import Clip, Part, Seen
from agent.engine import clip_wire as wire
from agent.engine.clips import Engines
from agent.engine.files import Opener, new_file, open_photo
from agent.engine.pool import A_PERSON_WAITS, IN_LINE
from agent.engine.wire import PICTURE, check_preview

# Seconds.
_LIMIT_S: Final = 3600.0
_STILL_LIMIT_S: Final = 60.0


class EngineFilms:
    """A ClipRenderer."""

    at_once: Final = 1

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    async def probe(self, path: str) -> Clip:
        return await self._engines.run("film_probe", None, wire.CLIP, wire.check_clip, IN_LINE, [partial(open_photo, path)], _LIMIT_S)

    async def look(self, path: str, part: Part, tick: float, embedder: str | None = None) -> Seen:
        body, files = wire.LOOK.dump(wire.Look(part, tick, embedder)), [partial(open_photo, path)]
        check = partial(wire.check_seen, part=part, prints=embedder is not None)
        return await self._engines.run("film_look", body, wire.SEEN, check, IN_LINE, files, _LIMIT_S)

    async def draw(self, task: DrawPart) -> int:
        body = wire.DRAW.dump(wire.Draw(task.part, task.ways, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), output.open]
            drawn = await self._engines.run("film_draw", body, wire.DRAWN, wire.check_drawn, IN_LINE, files, _LIMIT_S)
            await asyncio.to_thread(output.check, drawn.size)
        return drawn.frames

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        body, files = wire.STILL.dump(wire.Still(seconds, side)), [partial(open_photo, path)]
        return await self._engines.run("film_still", body, PICTURE, check_preview, A_PERSON_WAITS, files, _STILL_LIMIT_S)

    async def join(self, task: JoinClip) -> Joined:
        """The one part is the copy."""
        body = wire.JOIN.dump(wire.Join(task.pieces, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), partial(open_photo, task.made), output.open]
            joined = await self._engines.run("film_join", body, wire.JOINED, wire.check_joined, IN_LINE, files, _LIMIT_S)
            await asyncio.to_thread(output.check, joined.copy_size)
        return joined
