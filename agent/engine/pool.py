"""Runs engine processes: started on demand, one task each at a time, ended when idle; what goes wrong is named."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from agent.core.child import ChildGone, own_command
from agent.core.heap import CLEAN
from agent.core.settings import Engine
from agent.domain.errors import (
    AgentError,
    EngineBadAnswer,
    EngineCrashed,
    EngineKilled,
    EngineMemory,
    EngineOpen,
    EngineStartFailed,
    EngineTimeout,
    EngineUnwalled,
)
from agent.domain.face import Analysis
from agent.engine import engine_calls as calls
from agent.engine.analyser import Analyse
from agent.engine.devices import CPU, Note
from agent.engine.engine_calls import EngineConfig, Hello, ModelFile, PreviewRequest, RestoreRequest
from agent.engine.model_preparer import ModelPreparer
from agent.engine.monitor import EngineProcess
from agent.engine.open_files import Opener, new_file, open_photo
from agent.engine.renderer import Region, Render, Rendered
from agent.engine.rpc import Call, Client
from agent.engine.sandbox import can_be_whole
from agent.engine.sandbox.wall import Wall
from agent.engine.selftest_runs import DeviceChooser
from agent.engine.slot_queue import Line
from agent.engine.worker_slot import Slot, cores, let_others_go_first, memory_of, processes_for

Q = TypeVar("Q")
A = TypeVar("A")

_MANY = 1_000_000  # cores: no bound


class EnginePool:
    """An Analyser and Renderer over child processes.

    It keeps no queue of tasks: each caller waits for a free process, those a person waits for first.
    Use it from one event loop. A process that crashed, hung or talked rubbish is replaced at the next request.
    """

    def __init__(
        self,
        settings: Engine,
        models: Mapping[str, ModelFile],
        *,
        converted: Path | None = None,
        cache: Path | None = None,
        command: Sequence[str] | None = None,
        devices: DeviceChooser | None = None,
        environment: Mapping[str, str] | None = None,
        preparer: ModelPreparer | None = None,
        scratch: Path | None = None,
    ) -> None:
        """Without `devices`, which has them tested, the device of the settings is taken as it is. `environment`: beside the usual.

        Engines read models in OpenVINO's format from what `preparer` made, or from `converted` and `cache` as they are. An accelerator's
        driver writes to `scratch`.
        """
        self.settings = settings
        self._models = dict(models)
        self._converted, self._cache = converted, cache
        self._preparer, self._scratch = preparer, scratch
        self._command = list(command) if command is not None else own_command("engine-worker")
        self._devices = devices
        self._environment = {**CLEAN, **(environment or {})}
        self._generation = 0
        self._line = Line(self._give_back)
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False
        self._one_core = self._low_priority = False
        self._gap: EngineOpen | None = None
        self.restarts = 0

    # -- the port ----------------------------------------------------------------------------------------------------------------
    async def analyse(self, task: Analyse) -> Analysis:
        return await self.ask(calls.ANALYSE, task, (partial(open_photo, task.path),))

    async def preview(self, path: str, side: int) -> bytes:
        return await self.ask(calls.PREVIEW, PreviewRequest(path, side), (partial(open_photo, path),))

    async def render(self, task: Render) -> Rendered:
        async with new_file(task.output) as output:
            rendered = await self.ask(calls.RENDER, task, (partial(open_photo, task.path), output.open))
            await asyncio.to_thread(output.settle, rendered.copy_size)
        return rendered

    async def restore(self, path: str, regions: tuple[Region, ...], output: str) -> None:
        async with new_file(output) as made:
            await self.ask(calls.RESTORE, RestoreRequest(path, regions, output), (partial(open_photo, path), made.open))
            await asyncio.to_thread(made.settle)

    def forget(self) -> None:
        """Hold nothing of people's faces in memory any more: idle processes end now, busy ones after their task."""
        self._generation += 1
        for slot in self._line.free:
            self._end(slot)

    async def close(self) -> None:
        """End every process. Tasks under way or waiting fail with EngineKilled, so that they are done again next time."""
        self._closed = True
        self._line.close(EngineKilled)
        for slot in self._line.slots:
            self._end(slot)
        for part in (self._devices, self._preparer):
            if part is not None:
                await part.close()
        while self._endings:
            await asyncio.gather(*self._endings, return_exceptions=True)

    async def hello(self) -> Hello:
        """Start a process if none runs; what it says of itself. Raises EngineError, ModelError."""
        slot = await self._take(urgent=True)
        try:
            await self._running(slot)
            assert slot.hello is not None
            return slot.hello
        finally:
            self._give_back(slot)

    async def try_out(self) -> tuple[str, str]:
        """The device and the precision it works with. Raises EngineError, ModelError."""
        hello = await self.hello()
        return hello.device, hello.precision

    async def wall(self) -> Wall:
        """What holds the engine's process. Raises EngineError, ModelError."""
        return (await self.hello()).wall

    @property
    def gap(self) -> EngineOpen | None:
        """What photos are decoded without, though this kind of system could have it; None before the first process."""
        return self._gap if self._gap is not None and "network" not in self._gap.params and can_be_whole() else None

    @property
    def device_note(self) -> Note | None:
        """A device that was wanted and is not used, and why, as far as it is known yet."""
        return None if self._devices is None else self._devices.note

    @property
    def _idle_s(self) -> float:
        """How long a process that has nothing to do is kept."""
        return self.settings.idle_s

    # -- upkeep ------------------------------------------------------------------------------------------------------------------
    @property
    def size(self) -> int:
        """How many processes there are at most."""
        if self._one_core:
            return 1
        return min(self.settings.workers or processes_for(self._cores), self.settings.max_cores or _MANY)

    @property
    def _cores(self) -> int:
        """Cores the engine may use."""
        return 1 if self._one_core else min(cores(), self.settings.max_cores or _MANY)

    def reconfigure(self, settings: Engine, models: Mapping[str, ModelFile] | None = None) -> None:
        """Take over new settings, or model files that were fetched: idle processes end now, busy ones after their task."""
        models = self._models if models is None else dict(models)
        if settings == self.settings and models == self._models:
            return
        self.settings, self._models = settings, models
        self._resize()

    def govern(self, *, one_core: bool, low_priority: bool) -> None:
        """Work on one core, or on all that the settings allow; let other programs go first, or not. Counts for running processes too."""
        resized, self._one_core = one_core != self._one_core, one_core
        raised, lowered = self._low_priority and not low_priority, low_priority and not self._low_priority
        self._low_priority = low_priority
        if resized or raised:  # a process may lower its priority, but mostly not raise it again
            self._resize()
        if lowered:
            for slot in self._line.slots:
                if slot.child is not None:
                    let_others_go_first(slot.child.pid)

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None:
        """End a process that takes too much memory, after its task or at once; then its task fails with EngineMemory."""
        for slot in self._line.slots:
            if slot.child is None or slot.child.pid != pid:
                continue
            if slot in self._line.free:
                self.restarts += 1
                self._end(slot)
            else:
                slot.generation = -1
                if at_once and slot.too_large is None:
                    slot.too_large = EngineMemory(megabytes=memory_of(pid) // 2**20, limit=limit)
                    self._later(slot.child.kill())

    def _resize(self) -> None:
        """Idle processes end now, busy ones after their task; as many as wanted follow."""
        self.forget()
        while len(self._line.slots) > self.size and self._line.free:
            self._line.slots.remove(self._line.free.pop())
        while len(self._line.slots) < self.size and self._line.hand_over(Slot()):
            pass

    def stats(self) -> list[EngineProcess]:
        """The processes that run now."""
        found = []
        for slot in self._line.slots:
            if slot.child is None or slot.hello is None or not slot.child.alive:
                continue
            if memory := memory_of(slot.child.pid):
                found.append(EngineProcess(slot.child.pid, memory, slot.hello.device, slot.hello.precision))
        return found

    # -- a request ---------------------------------------------------------------------------------------------------------------
    async def ask(self, call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
        """Make one call, with the files it comes with. Raises what the engine names, EngineError, ModelError."""
        slot = await self._take(call.urgent)
        try:
            client = await self._running(slot)
            tickets = await slot.hand_over(files, limit=self.settings.time_limit_s)
            return await self._ask(slot, client, call, asked, tickets)
        finally:
            self._give_back(slot)

    async def _ask(self, slot: Slot, client: Client, call: Call[Q, A], asked: Q, files: Sequence[int] = ()) -> A:
        try:
            return await client.ask(call, asked, limit=self.settings.time_limit_s if call.limit is None else call.limit, files=files)
        except AgentError as error:
            if not client.lost:
                raise
            self.restarts += 1
            raise slot.too_large or error from error.__cause__

    async def _running(self, slot: Slot) -> Client:
        """The slot's process, started and greeted if need be. Raises EngineStartFailed or EngineKilled."""
        if slot.client is not None and slot.client.child.alive and slot.generation == self._generation:
            return slot.client
        self._end(slot)
        slot.generation, slot.too_large = self._generation, None
        try:
            config = await self._complete(self._config())
            client = await slot.start(self._command, self._environment)
            if self._closed:
                raise EngineKilled
            if self._low_priority:
                let_others_go_first(client.child.pid)
            slot.hello = await self._ask(slot, client, calls.HELLO, config)
            self._judge(slot.hello.wall)
        except (ChildGone, EngineCrashed, EngineTimeout, EngineBadAnswer) as error:
            raise EngineStartFailed from error
        except AgentError:
            self._end(slot)  # it lives, but can't work with this device or these models
            raise
        return client

    def _judge(self, wall: Wall) -> None:
        """Raises EngineUnwalled if no photo may be read behind such a wall."""
        try:
            wall.check()
        except EngineOpen as error:
            self._gap = error
            if self.settings.require_sandbox:
                raise EngineUnwalled from error
        else:
            self._gap = None

    def _config(self) -> EngineConfig:
        threads = max(1, self._cores // self.size)
        return EngineConfig.of(self.settings, self._models, str(self._converted or ""), str(self._cache or ""), threads)

    async def _complete(self, config: EngineConfig) -> EngineConfig:
        """With the device that was tested, and what was prepared for it."""
        if self._devices is not None:
            config = await self._devices.chosen(config)
        if self._preparer is not None:
            config = await self._preparer.ready(config)
        return config if config.device.startswith(CPU) or self._scratch is None else replace(config, scratch=str(self._scratch))

    # -- slots -------------------------------------------------------------------------------------------------------------------
    async def _take(self, urgent: bool) -> Slot:
        if self._closed:
            raise EngineKilled
        return await self._line.take(urgent, self.size)

    def _give_back(self, slot: Slot) -> None:
        if self._closed or len(self._line.slots) > self.size:
            self._end(slot)
            self._line.slots.remove(slot)
        elif not self._line.hand_over(slot):
            self._line.free.append(slot)
            if slot.generation != self._generation:
                self._end(slot)
            slot.idle = asyncio.get_running_loop().call_later(self._idle_s, self._end, slot)

    def _end(self, slot: Slot) -> None:
        """End the slot's process, without waiting for it."""
        if (child := slot.let_go()) is not None:
            self._later(child.stop())

    def _later(self, ending: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(ending)
        self._endings.add(task)
        task.add_done_callback(self._endings.discard)
