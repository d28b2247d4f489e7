"""Runs engine processes: started on demand, one task each at a time, ended when idle; what goes wrong is named."""

import asyncio
import heapq
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil

from agent.app.ports import Analyse
from agent.child import Child, ChildGarbled, ChildGone, ChildTimeout, own_command
from agent.domain.errors import AgentError, EngineBadAnswer, EngineCrashed, EngineKilled, EngineStartFailed, EngineTimeout
from agent.domain.face import Analysis
from agent.domain.people import Bounds, Candidate, Gallery
from agent.engine import wire
from agent.engine.wire import Codec, EngineConfig, Hello, ModelFile
from agent.settings import Engine

T = TypeVar("T")

# Importing the libraries on a cold, slow disk under a virus scanner takes this long at most.
_START_LIMIT_S = 60.0
# SIGKILL and SIGTERM: somebody else ended the process.
_OUTSIDE = (-9, -15)
_A_PERSON_WAITS, _IN_LINE = 0, 1


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """One running engine, for the status."""

    pid: int
    memory: int  # resident bytes
    device: str
    precision: str


@dataclass(eq=False)
class _Slot:
    """A place for one process. It outlives the processes in it."""

    child: Child | None = None
    hello: Hello | None = None
    generation: int = -1
    gallery: tuple[str, int] | None = None  # what the process compares with: (embedder, version)
    requests: int = 0
    idle: asyncio.TimerHandle | None = None


@dataclass(order=True)
class _Waiter:
    rank: int
    number: int
    slot: "asyncio.Future[_Slot]" = field(compare=False)


class EnginePool:
    """An Analyser over child processes. It keeps no queue of tasks: each caller waits for a free process, those a person waits for first.

    Use it from one event loop. A process that crashed, hung or talked rubbish is replaced at the next request.
    """

    def __init__(
        self, settings: Engine, models: Mapping[str, ModelFile], *, converted: Path, cache: Path, command: Sequence[str] | None = None
    ) -> None:
        self.settings = settings
        self._models = dict(models)
        self._converted, self._cache = converted, cache
        self._command = list(command) if command is not None else own_command("engine-worker")
        self._generation = 0
        self._slots: list[_Slot] = []
        self._free: list[_Slot] = []
        self._waiting: list[_Waiter] = []
        self._arrivals = 0
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    # -- the port ----------------------------------------------------------------------------------------------------------------
    async def analyse(self, task: Analyse) -> Analysis:
        body = wire.ANALYSE.dump(task)
        return await self._run("analyse", body, wire.ANALYSIS, lambda analysis: wire.check_analysis(analysis, task), _IN_LINE)

    async def preview(self, path: str, side: int) -> bytes:
        body = wire.PREVIEW.dump(wire.PreviewRequest(path, side))
        return await self._run("preview", body, wire.PICTURE, wire.check_preview, _A_PERSON_WAITS)

    async def match(self, embeddings: Sequence[bytes], gallery: Gallery, bounds: Bounds) -> list[list[Candidate]]:
        body = wire.MATCH.dump(wire.MatchRequest(tuple(embeddings), bounds))

        def check(matches: list[list[Candidate]]) -> list[list[Candidate]]:
            return wire.check_matches(matches, len(embeddings), gallery)

        return await self._run("match", body, wire.MATCHES, check, _A_PERSON_WAITS, gallery)

    def forget(self) -> None:
        """Hold nothing of people's faces in memory any more: idle processes end now, busy ones after their task."""
        self._generation += 1
        for slot in self._free:
            self._end(slot)

    async def close(self) -> None:
        """End every process. Tasks under way or waiting fail with EngineKilled, so that they are done again next time."""
        self._closed = True
        for waiter in self._waiting:
            if not waiter.slot.done():
                waiter.slot.set_exception(EngineKilled())
        self._waiting.clear()
        for slot in self._slots:
            self._end(slot)
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)

    async def hello(self) -> Hello:
        """Start a process if none runs; what it says of itself. Raises EngineError, ModelError."""
        slot = await self._take(_A_PERSON_WAITS)
        try:
            await self._running(slot)
            assert slot.hello is not None
            return slot.hello
        finally:
            self._give_back(slot)

    # -- upkeep ------------------------------------------------------------------------------------------------------------------
    @property
    def size(self) -> int:
        """How many processes there are at most."""
        # Half the cores: the computer belongs to its user, and each process takes 300 MB.
        return self.settings.workers or max(1, min(4, _cores() // 2))

    def reconfigure(self, settings: Engine, models: Mapping[str, ModelFile] | None = None) -> None:
        """Take over new settings, or model files that were fetched: idle processes end now, busy ones after their task."""
        models = self._models if models is None else dict(models)
        if settings == self.settings and models == self._models:
            return
        self.settings, self._models = settings, models
        self.forget()
        while len(self._slots) > self.size and self._free:
            self._slots.remove(self._free.pop())
        while len(self._slots) < self.size and self._hand_over(_Slot()):
            pass

    def stats(self) -> list[EngineProcess]:
        """The processes that run now."""
        found = []
        for slot in self._slots:
            if slot.child is None or slot.hello is None or not slot.child.alive:
                continue
            try:
                memory = psutil.Process(slot.child.pid).memory_info().rss
            except psutil.Error:
                continue
            found.append(EngineProcess(slot.child.pid, memory, slot.hello.device, slot.hello.precision))
        return found

    # -- a request ---------------------------------------------------------------------------------------------------------------
    async def _run(
        self, operation: str, body: object, codec: Codec[T], check: Callable[[T], T], rank: int, gallery: Gallery | None = None
    ) -> T:
        slot = await self._take(rank)
        try:
            child = await self._running(slot)
            if gallery is not None and slot.gallery != (gallery.embedder, gallery.version):
                await self._ask(slot, child, "gallery", wire.GALLERY.dump(gallery), wire.DONE)
                slot.gallery = (gallery.embedder, gallery.version)
            return await self._ask(slot, child, operation, body, codec, check)
        finally:
            self._give_back(slot)

    async def _ask(
        self,
        slot: _Slot,
        child: Child,
        operation: str,
        body: object,
        codec: Codec[T],
        check: Callable[[T], T] | None = None,
        limit: float | None = None,
    ) -> T:
        slot.requests += 1
        limit = self.settings.time_limit_s if limit is None else limit
        try:
            message = await child.request(wire.request(slot.requests, operation, body), timeout=limit)
            answer = wire.believe(message, slot.requests, codec)
            return answer if check is None else check(answer)
        except ChildGarbled as error:
            raise EngineBadAnswer from error
        except ChildGone as error:
            raise _ended(error.exit_code) from error
        except ChildTimeout as error:
            raise EngineTimeout(seconds=limit) from error
        except EngineBadAnswer:
            await child.kill()  # nothing more it says can be believed
            raise

    async def _running(self, slot: _Slot) -> Child:
        """The slot's process, started and greeted if need be. Raises EngineStartFailed or EngineKilled."""
        if slot.child is not None and slot.child.alive and slot.generation == self._generation:
            return slot.child
        self._end(slot)
        slot.generation, slot.gallery, slot.requests = self._generation, None, 0
        try:
            child = slot.child = await Child.start(self._command)
            if self._closed:
                raise EngineKilled
            slot.hello = await self._ask(slot, child, "hello", wire.CONFIG.dump(self._config()), wire.HELLO, limit=_START_LIMIT_S)
        except (ChildGone, EngineCrashed, EngineTimeout, EngineBadAnswer) as error:
            raise EngineStartFailed from error
        except AgentError:
            self._end(slot)  # it lives, but can't work with this device or these models
            raise
        return child

    def _config(self) -> EngineConfig:
        settings = self.settings
        return EngineConfig(
            models=self._models,
            converted=str(self._converted),
            cache=str(self._cache),
            device=settings.device,
            precision=settings.precision.value,
            threads=max(1, _cores() // self.size),
            max_megapixels=settings.max_megapixels,
            max_megabytes=settings.max_megabytes,
        )

    # -- slots -------------------------------------------------------------------------------------------------------------------
    async def _take(self, rank: int) -> _Slot:
        if self._closed:
            raise EngineKilled
        if self._free:
            slot = self._free.pop()  # the one used last: the others may fall idle and end
            if slot.idle is not None:
                slot.idle.cancel()
            return slot
        if len(self._slots) < self.size:
            self._slots.append(slot := _Slot())
            return slot
        self._arrivals += 1
        waiter = _Waiter(rank, self._arrivals, asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, waiter)
        try:
            return await waiter.slot
        except asyncio.CancelledError:
            if waiter.slot.done() and not waiter.slot.cancelled() and waiter.slot.exception() is None:
                self._give_back(waiter.slot.result())  # handed over in the moment of the cancellation
            raise

    def _give_back(self, slot: _Slot) -> None:
        if self._closed or len(self._slots) > self.size:
            self._end(slot)
            self._slots.remove(slot)
        elif not self._hand_over(slot):
            self._free.append(slot)
            if slot.generation != self._generation:
                self._end(slot)
            slot.idle = asyncio.get_running_loop().call_later(self.settings.idle_s, self._end, slot)

    def _hand_over(self, slot: _Slot) -> bool:
        """Give a slot to whoever is first in line; False if nobody waits."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.slot.done():
                if slot not in self._slots:
                    self._slots.append(slot)
                waiter.slot.set_result(slot)
                return True
        return False

    def _end(self, slot: _Slot) -> None:
        """End the slot's process, without waiting for it."""
        child, slot.child, slot.hello = slot.child, None, None
        if child is not None:
            task = asyncio.get_running_loop().create_task(child.stop())
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)


def _ended(exit_code: int | None) -> AgentError:
    if exit_code is None:
        return EngineStartFailed()
    return EngineKilled() if exit_code in _OUTSIDE else EngineCrashed()


def _cores() -> int:
    """Cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
