"""Redacts clips with the pool's engines."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Protocol, TypeVar

from agent.domain.video import PartDetections, VerifiedPart, Video, VideoPart
from agent.inference.engine import video_calls
from agent.inference.engine.fd_passing import Opener, new_file
from agent.inference.engine.rpc import Call
from agent.inference.engine.video_calls import VideoCalls
from agent.inference.engine.video_ports import DrawPart, Joined, JoinVideo, ProvePart
from agent.infrastructure.core.photo_files import open_photo

Q = TypeVar("Q")
A = TypeVar("A")


class Engines(Protocol):
    """Runs tasks: see EnginePool."""

    @property
    def size(self) -> int: ...

    @property
    def open_item(self) -> Callable[[str], int]: ...

    async def ask(self, call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A: ...


class EngineVideos:
    """A ClipRenderer."""

    calls: ClassVar[VideoCalls] = video_calls.CLIPS

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    @property
    def at_once(self) -> int:
        return self._engines.size

    async def probe(self, path: str) -> Video:
        return await self._engines.ask(self.calls.probe, None, [partial(self._engines.open_item, path)])

    async def look(self, path: str, part: VideoPart, tick: float, embedder: str | None = None) -> PartDetections:
        return await self._engines.ask(
            self.calls.look, video_calls.VideoLookRequest(part, tick, embedder), [partial(self._engines.open_item, path)]
        )

    async def draw(self, task: DrawPart) -> int:
        asked = video_calls.Draw(task.part, task.ways, task.format, task.strip)
        async with new_file(task.output) as output:
            drawn = await self._engines.ask(self.calls.draw, asked, [partial(self._engines.open_item, task.path), output.open])
            await asyncio.to_thread(output.settle, drawn.size)
        return drawn.frames

    async def prove(self, task: ProvePart) -> VerifiedPart:
        files: list[Opener] = [partial(self._engines.open_item, task.path), partial(open_photo, task.copy)]
        return await self._engines.ask(self.calls.prove, video_calls.Prove(task.part, task.ways), files)

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        return await self._engines.ask(self.calls.still, video_calls.Still(seconds, side), [partial(self._engines.open_item, path)])

    async def join(self, task: JoinVideo) -> Joined:
        asked = video_calls.Join(task.pieces, task.format, task.strip)
        async with new_file(task.output) as output:
            files: list[Opener] = [partial(self._engines.open_item, task.path), partial(open_photo, task.made), output.open]
            joined = await self._engines.ask(self.calls.join, asked, files)
            await asyncio.to_thread(output.settle, joined.copy_size)
        return joined


class EngineAnimations(EngineVideos):
    """Redacts films like clips, but each in one go."""

    calls = video_calls.FILMS

    @property
    def at_once(self) -> int:
        return 1
