"""Clips are redacted by engines: the pool's processes, or one in this very process."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Protocol, TypeVar

from agent.domain.video import Clip, Part, Seen
from agent.engine import video_wire as wire
from agent.engine.open_files import Opener, new_file, open_photo
from agent.engine.pool import A_PERSON_WAITS, IN_LINE
from agent.engine.rpc import PICTURE, Codec, check_preview
from agent.engine.video_ports import DrawPart, JoinClip, Joined

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
    """A ClipRenderer. The operations' names begin with `kind`; `limit` seconds for a part, if it is not the whole."""

    kind: ClassVar[str] = "clip"
    limit: ClassVar[float] = _LIMIT_S

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    @property
    def at_once(self) -> int:
        return self._engines.size

    async def probe(self, path: str) -> Clip:
        return await self._run("probe", None, wire.CLIP, wire.check_clip, [partial(open_photo, path)], _WHOLE_LIMIT_S)

    async def look(self, path: str, part: Part, tick: float, embedder: str | None = None) -> Seen:
        body, files = wire.LOOK.dump(wire.Look(part, tick, embedder)), [partial(open_photo, path)]
        check = partial(wire.check_seen, part=part, prints=embedder is not None)
        return await self._run("look", body, wire.SEEN, check, files, self.limit)

    async def draw(self, task: DrawPart) -> int:
        body = wire.DRAW.dump(wire.Draw(task.part, task.ways, task.format, task.strip))
        async with new_file(task.output) as output:
            drawn = await self._run("draw", body, wire.DRAWN, wire.check_drawn, [partial(open_photo, task.path), output.open], self.limit)
            await asyncio.to_thread(output.settle, drawn.size)
        return drawn.frames

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        body, files = wire.STILL.dump(wire.Still(seconds, side)), [partial(open_photo, path)]
        return await self._run("still", body, PICTURE, check_preview, files, _STILL_LIMIT_S, A_PERSON_WAITS)

    async def join(self, task: JoinClip) -> Joined:
        body = wire.JOIN.dump(wire.Join(task.pieces, task.format, task.strip))
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(open_photo, task.path), partial(open_photo, task.made), output.open]
            joined = await self._run("join", body, wire.JOINED, wire.check_joined, files, _WHOLE_LIMIT_S)
            await asyncio.to_thread(output.settle, joined.copy_size)
        return joined

    async def _run(
        self,
        name: str,
        body: object,
        codec: Codec[T],
        check: Callable[[T], T],
        files: Sequence[Opener],
        limit: float,
        rank: int = IN_LINE,
    ) -> T:
        return await self._engines.run(f"{self.kind}_{name}", body, codec, check, rank, files, limit)


class EngineFilms(EngineClips):
    """Films are redacted as clips are, but each in one go: a frame can't be read without those before it."""

    kind = "film"
    limit = _WHOLE_LIMIT_S

    @property
    def at_once(self) -> int:
        return 1
