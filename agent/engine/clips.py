"""Clips are redacted by engines: the pool's processes, or one in this very process."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from agent.app.ports import DrawPart, JoinClip, Joined
from agent.domain.clips import Clip, Part, Seen
from agent.engine import clip_wire as wire
from agent.engine.files import Opener, new_file, open_photo
from agent.engine.pool import A_PERSON_WAITS, IN_LINE
from agent.engine.wire import PICTURE, Codec, check_preview

T = TypeVar("T")

# Seconds: a part is short, but of any size; and the whole file is read for its digest, and once more to be joined.
_LIMIT_S, _WHOLE_LIMIT_S, _STILL_LIMIT_S = 600.0, 3600.0, 60.0


class Engines(Protocol):
    """What has tasks done."""

    @property
    def size(self) -> int:
        """How many at a time."""
        ...

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
        """See EnginePool."""
        ...


class EngineClips:
    """A ClipRenderer."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    @property
    def at_once(self) -> int:
        return self._engines.size

    async def probe(self, path: str) -> Clip:
        files: list[Opener] = [partial(open_photo, path)]
        return await self._engines.run("clip_probe", None, wire.CLIP, wire.check_clip, IN_LINE, files, _WHOLE_LIMIT_S)

    async def look(self, path: str, part: Part, tick: float, embedder: str | None = None) -> Seen:
        body = wire.LOOK.dump(wire.Look(part, tick, embedder))
        files: list[Opener] = [partial(open_photo, path)]
        prints = embedder is not None
        return await self._engines.run(
            "clip_look", body, wire.SEEN, lambda seen: wire.check_seen(seen, part, prints=prints), IN_LINE, files, _LIMIT_S
        )

    async def draw(self, task: DrawPart) -> int:
        body = wire.DRAW.dump(wire.Draw(task.part, task.ways, task.format))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), output.open]
            drawn = await self._engines.run("clip_draw", body, wire.DRAWN, wire.check_drawn, IN_LINE, files, _LIMIT_S)
            await asyncio.to_thread(output.check, drawn.size)
        return drawn.frames

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        body, files = wire.STILL.dump(wire.Still(seconds, side)), [partial(open_photo, path)]
        return await self._engines.run("clip_still", body, PICTURE, check_preview, A_PERSON_WAITS, files, _STILL_LIMIT_S)

    async def join(self, task: JoinClip) -> Joined:
        body = wire.JOIN.dump(wire.Join(task.pieces, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), partial(open_photo, task.made), output.open]
            joined = await self._engines.run("clip_join", body, wire.JOINED, wire.check_joined, IN_LINE, files, _WHOLE_LIMIT_S)
            await asyncio.to_thread(output.check, joined.copy_size)
        return joined
