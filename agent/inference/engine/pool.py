"""Runs engine processes: started on demand, one task each at a time, ended when idle, with named errors."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

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
from agent.domain.face import Analysis, Box
from agent.inference.engine import engine_calls as calls
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.devices import DeviceNote
from agent.inference.engine.engine_calls import EngineConfig, Hello, ModelFile, PreviewRequest, RestoreTask
from agent.inference.engine.fd_passing import Opener, new_file
from agent.inference.engine.monitor import EngineProcess
from agent.inference.engine.renderer import KeptRegion, Render, Rendered
from agent.inference.engine.rpc import Call, RpcClient
from agent.inference.engine.sandbox import can_be_whole
from agent.inference.engine.sandbox.report import Sandbox
from agent.inference.engine.worker_slot import MANY, Slot, SlotQueue, cores, lower_priority, memory_of, most_processes
from agent.infrastructure.core.background import BackgroundTasks
from agent.infrastructure.core.json_child import ChildExited, own_command
from agent.infrastructure.core.malloc_tuning import CLEAN
from agent.infrastructure.core.photo_files import open_photo
from agent.infrastructure.core.settings import EngineSettings

Q = TypeVar("Q")
A = TypeVar("A")


class EnginePool:
    """An Analyser and Renderer over child processes.

    It keeps no queue of tasks: each caller waits for a free process, urgent callers first.
    Use it from one event loop. A process that crashed, hung or sent invalid data is replaced at the next request.
    """

    def __init__(
        self,
        settings: EngineSettings,
        models: Mapping[str, ModelFile],
        equipment: ComputeSetup,
        *,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`environment`: besides the usual."""
        self.settings = settings
        self._models = dict(models)
        self._equipment = equipment
        self._command = list(command) if command is not None else own_command("engine-worker")
        self._environment = {**CLEAN, **(environment or {})}
        self._generation = 0
        self._line = SlotQueue(self._give_back)
        self._endings = BackgroundTasks()
        self._closed = False
        self._one_core = self._low_priority = False
        self._gap: EngineOpen | None = None
        self.restarts = 0
        self.open_item: Callable[[str], int] = open_photo  # what opens originals: the wiring sets another where there are remote sources

    # -- the port ----------------------------------------------------------------------------------------------------------------
    async def analyse(self, task: Analyse) -> Analysis:
        return await self.ask(calls.ANALYSE, task, (partial(self.open_item, task.path),))

    async def preview(self, path: str, side: int, hidden: tuple[Box, ...] = ()) -> bytes:
        return await self.ask(calls.PREVIEW, PreviewRequest(path, side, hidden), (partial(self.open_item, path),))

    async def render(self, task: Render) -> Rendered:
        async with new_file(task.output) as output:
            rendered = await self.ask(calls.RENDER, task, (partial(self.open_item, task.path), output.open))
            await asyncio.to_thread(output.settle, rendered.copy_size)
        return rendered

    async def restore(self, path: str, regions: tuple[KeptRegion, ...], output: str) -> None:
        async with new_file(output) as made:
            await self.ask(calls.RESTORE, RestoreTask(path, regions, output), (partial(self.open_item, path), made.open))
            await asyncio.to_thread(made.settle)

    def forget(self) -> None:
        """Release people's face data from memory: idle processes end now, busy ones after their task."""
        self._generation += 1
        for slot in self._line.free:
            self._end(slot)

    async def close(self) -> None:
        """End every process. Running and waiting tasks fail with EngineKilled, so that they are retried next time."""
        self._closed = True
        self._line.close(EngineKilled)
        for slot in self._line.slots:
            self._end(slot)
        await self._equipment.close()
        await self._endings.ended()

    async def hello(self) -> Hello:
        """Start a process if none runs; return its greeting. Raises EngineError, ModelError."""
        slot = await self._take(urgent=True)
        try:
            await self._running(slot)
            assert slot.hello is not None
            return slot.hello
        finally:
            self._give_back(slot)

    async def try_out(self) -> tuple[str, str]:
        """Return its device and precision. Raises EngineError, ModelError."""
        hello = await self.hello()
        return hello.device, hello.precision

    async def wall(self) -> Sandbox:
        """Return what the sandbox enforces. Raises EngineError, ModelError."""
        return (await self.hello()).wall

    @property
    def gap(self) -> EngineOpen | None:
        """Return the missing part of the sandbox, if this kind of system could provide it; None before the first process."""
        return self._gap if self._gap is not None and "network" not in self._gap.params and can_be_whole() else None

    @property
    def device_note(self) -> DeviceNote | None:
        """Return a requested device that is not used, and why, as far as known."""
        return self._equipment.note

    @property
    def _idle_s(self) -> float:
        """Return how long an idle process is kept."""
        return self.settings.idle_s

    # -- maintenance -------------------------------------------------------------------------------------------------------------
    @property
    def size(self) -> int:
        """Return the maximum number of processes."""
        if self._one_core:
            return 1
        return most_processes(self.settings)

    @property
    def _cores(self) -> int:
        """Return the cores that the engine may use."""
        return 1 if self._one_core else min(cores(), self.settings.max_cores or MANY)

    def reconfigure(self, settings: EngineSettings, models: Mapping[str, ModelFile] | None = None) -> None:
        """Apply new settings, or downloaded model files: idle processes end now, busy ones after their task."""
        models = self._models if models is None else dict(models)
        if settings == self.settings and models == self._models:
            return
        self.settings, self._models = settings, models
        self._resize()

    def govern(self, *, one_core: bool, low_priority: bool) -> None:
        """Use one core, or all that the settings allow; at low priority, or not. Also applies to running processes."""
        resized, self._one_core = one_core != self._one_core, one_core
        raised, lowered = self._low_priority and not low_priority, low_priority and not self._low_priority
        self._low_priority = low_priority
        if resized or raised:  # a process may lower its priority, but usually not raise it again
            self._resize()
        if lowered:
            for slot in self._line.slots:
                if slot.child is not None:
                    lower_priority(slot.child.pid)

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None:
        """End a process with too much memory, after its task or at once; then its task fails with EngineMemory."""
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
                    self._endings.start(slot.child.kill())

    def _resize(self) -> None:
        """End excess processes: idle ones now, busy ones after their task; wanted ones start again."""
        self.forget()
        while len(self._line.slots) > self.size and self._line.free:
            self._line.slots.remove(self._line.free.pop())
        while len(self._line.slots) < self.size and self._line.hand_over(Slot()):
            pass

    def stats(self) -> list[EngineProcess]:
        """Return the running processes."""
        found = []
        for slot in self._line.slots:
            if slot.child is None or slot.hello is None or not slot.child.alive:
                continue
            if memory := memory_of(slot.child.pid):
                found.append(EngineProcess(slot.child.pid, memory, slot.hello.device, slot.hello.precision))
        return found

    @property
    def is_busy(self) -> bool:
        """Return if a process has a task."""
        return len(self._line.free) < len(self._line.slots)

    # -- a request ---------------------------------------------------------------------------------------------------------------
    async def ask(self, call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
        """Make one call, with its files. Raises the engine's error, EngineError, ModelError."""
        slot = await self._take(call.urgent)
        try:
            client = await self._running(slot)
            try:
                return await self._ask(slot, client, call, asked, await self._handed(slot, files))
            except EngineCrashed:
                if not (client.faulted and slot.maps and files):
                    raise
            slot.maps = False  # a process that reads files into memory says what is wrong with this one
            return await self._ask(slot, await self._running(slot), call, asked, await self._handed(slot, files))
        finally:
            if not slot.maps:  # reading large files into memory takes that much more of it: the next request gets another process
                slot.maps, slot.generation = True, -1
            self._give_back(slot)

    async def _handed(self, slot: Slot, files: Sequence[Opener]) -> list[int]:
        return await slot.hand_over(files, limit=self.settings.time_limit_s)

    async def _ask(self, slot: Slot, client: RpcClient, call: Call[Q, A], asked: Q, files: Sequence[int] = ()) -> A:
        try:
            return await client.ask(call, asked, limit=self.settings.time_limit_s if call.limit is None else call.limit, files=files)
        except AgentError as error:
            if not client.lost:
                raise
            self.restarts += 1
            raise slot.too_large or error from error.__cause__

    async def _running(self, slot: Slot) -> RpcClient:
        """Return the slot's process, started and greeted if necessary. Raises EngineStartFailed or EngineKilled."""
        if slot.client is not None and slot.client.child.alive and slot.generation == self._generation:
            return slot.client
        self._end(slot)
        slot.generation, slot.too_large = self._generation, None
        try:
            config = replace(await self._equipment.complete(self._config()), mapped=slot.maps)
            client = await slot.start(self._command, self._environment)
            if self._closed:
                raise EngineKilled
            if self._low_priority:
                lower_priority(client.child.pid)
            slot.hello = await self._ask(slot, client, calls.HELLO, config)
            self._judge(slot.hello.wall)
        except (ChildExited, EngineCrashed, EngineTimeout, EngineBadAnswer) as error:
            raise EngineStartFailed from error
        except AgentError:
            self._end(slot)  # it runs, but can't work with this device or these models
            raise
        return client

    def _judge(self, wall: Sandbox) -> None:
        """Raise EngineUnwalled if no photo may be read in such a sandbox."""
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
        files = self._equipment
        return EngineConfig.of(self.settings, self._models, str(files.converted or ""), str(files.cache or ""), threads)

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
            self._endings.start(child.stop())
