"""The engine and the matcher in the test's own process: nothing isolates what they decode."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from agent.domain.embeddings import ClusterInput, ClusterInputs, FaceEmbedding, Near, Spread
from agent.domain.errors import AgentError
from agent.domain.face import Analysis, Box
from agent.domain.identity_matching import Candidate
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.engine_worker import offer_videos
from agent.inference.engine.fd_passing import NewFile, Opener, new_file
from agent.inference.engine.matcher import ReadPrints
from agent.inference.engine.matcher_calls import IdentifyRequest, NearRequest, Placed, Roster, SpreadRequest, by_group, parts
from agent.inference.engine.matcher_port import ClusterMembers, Query
from agent.inference.engine.matcher_service import MatchService
from agent.inference.engine.renderer import KeptRegion, Render, Rendered
from agent.inference.engine.rpc import Call
from agent.inference.engine.rpc_worker import RpcWorker
from agent.inference.engine.service import Engine
from agent.infrastructure.core.photo_files import open_photo

T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")


class InlineAnalyser:
    """An Analyser and Renderer without a child process; one task at a time."""

    def __init__(self, config: EngineConfig) -> None:
        self.engine = Engine(config, time.perf_counter)
        self._turn = asyncio.Lock()

    async def analyse(self, task: Analyse) -> Analysis:
        async with self._turn:
            return await asyncio.to_thread(self.engine.analyse, task)

    async def preview(self, path: str, side: int, hidden: tuple[Box, ...] = ()) -> bytes:
        async with self._turn:
            return await asyncio.to_thread(partial(self.engine.preview, path, side, hidden=hidden))

    async def render(self, task: Render) -> Rendered:
        async with self._turn, new_file(task.output) as output:
            rendered = await asyncio.to_thread(lambda: self.engine.render(task, *_both(task.path, output)))
            await asyncio.to_thread(output.settle, rendered.copy_size)
            return rendered

    async def restore(self, path: str, regions: tuple[KeptRegion, ...], output: str) -> None:
        async with self._turn, new_file(output) as made:
            await asyncio.to_thread(lambda: self.engine.restore(regions, *_both(path, made)))
            await asyncio.to_thread(made.settle)

    def forget(self) -> None:
        self.engine.forget()

    async def close(self) -> None:
        """Nothing to end."""


def _both(path: str, output: NewFile) -> tuple[int, int]:
    """What is read, and what is written."""
    source = open_photo(path)
    try:
        return source, output.open()
    except AgentError:
        os.close(source)
        raise


class InlineEngine:
    """In the place of a pool: one task at a time, for as long as it takes. It is asked, and answers, as a process is."""

    size: Final = 1
    open_item = staticmethod(open_photo)

    def __init__(self, engine: Engine) -> None:
        self._worker = RpcWorker()
        offer_videos(self._worker, engine)
        self._turn = asyncio.Lock()

    async def ask(self, call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
        async with self._turn:
            body = call.request.dump(asked)
            answer = await asyncio.to_thread(lambda: self._worker.answer(call.name, body, _all_opened(files)))
        return call.checked(call.response.load(answer), asked)


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


class InlineMatcher:
    """A FaceMatcher without a child process; one thing at a time."""

    def __init__(self, read: ReadPrints) -> None:
        self._read = read
        self._service: MatchService | None = None
        self._turn = asyncio.Lock()

    async def near(self, query: Query, *, within: float, limit: int, named: bool = False) -> list[list[Near]]:
        return await self._question(lambda service: service.near(NearRequest(query, within, limit, named)))

    async def identify(self, query: Query, *, probable: float, most: int = 5) -> list[list[Candidate]]:
        return await self._question(lambda service: service.identify(IdentifyRequest(query, probable, most)))

    async def group(self, members: ClusterInputs) -> bytes:
        form = await self._question(lambda service: service.group(members))
        return (await asyncio.to_thread(form)).groups or b""

    async def place(self, fresh: Sequence[ClusterInput], known: Callable[[], ClusterMembers]) -> dict[int, int]:
        def ask(service: MatchService) -> Placed:
            placed = service.place(ClusterInputs.of(fresh))
            if placed.groups is None:
                before = known()
                service.begin(before.cannot)
                for part in by_group(before.members):
                    service.restore(part)
                placed = service.place(ClusterInputs.of(fresh))
            return placed

        return dict((await self._question(ask)).groups or ())

    async def spread(self, groups: Sequence[Sequence[int]], *, most: int) -> list[Spread]:
        return await self._question(lambda service: service.spread(SpreadRequest(tuple(map(tuple, groups)), most)))

    async def put(self, prints: Sequence[FaceEmbedding]) -> None:
        async with self._turn:
            if self._service is not None:
                for part in parts(prints):
                    self._service.put(part)

    async def drop(self, faces: Sequence[int]) -> None:
        async with self._turn:
            if self._service is not None:
                self._service.drop(faces)

    async def align(self, known: Callable[[], Mapping[int, int]]) -> list[int]:
        async with self._turn:
            if self._service is None:
                return []
            people = known()
            return list(self._service.align(Roster(tuple(people), tuple(people.values()))))

    def forget(self) -> None:
        self._service = None

    async def close(self) -> None:
        """Nothing to end."""
        self.forget()

    async def _question(self, ask: Callable[[MatchService], T]) -> T:
        async with self._turn:
            if self._service is None:
                self._service = await asyncio.to_thread(self._filled)
            return await asyncio.to_thread(ask, self._service)

    def _filled(self) -> MatchService:
        service = MatchService()
        for page in self._read():
            for part in parts(page):
                service.put(part)
        return service
