"""The pool's state for each engine process, and the system's figures about them."""

import asyncio
import heapq
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from agent.domain.errors import AgentError, EngineKilled, EngineMemory
from agent.inference.engine.engine_calls import Hello
from agent.inference.engine.fd_passing import FdSender, Opener, all_opened
from agent.inference.engine.rpc import RpcClient
from agent.infrastructure.core.json_child import Child
from agent.infrastructure.core.settings import EngineSettings

_NICE = 10  # POSIX
MOST_PROCESSES = 4
MANY = 1_000_000  # cores: unlimited


@dataclass(eq=False)
class Slot:
    """A place for one process. It outlives its processes."""

    client: RpcClient | None = None
    files: FdSender | None = None  # hands the process its files
    hello: Hello | None = None
    generation: int = -1
    idle: asyncio.TimerHandle | None = None
    too_large: EngineMemory | None = None  # the reason why its process is being ended
    maps: bool = True  # whether its next process may map files

    @property
    def child(self) -> Child | None:
        return None if self.client is None else self.client.child

    async def start(self, command: Sequence[str], extra: Mapping[str, str]) -> RpcClient:
        """Start a process in it, with `extra` in its environment. Raises ChildGone."""
        files = self.files = FdSender()
        try:
            self.client = RpcClient(
                await Child.start(command, extra_environment={**files.environment, **extra}, desktop=False, descriptors=files.inherited)
            )
        finally:
            files.started()
        return self.client

    async def hand_over(self, openers: Sequence[Opener], *, limit: float) -> list[int]:
        """Open files and hand them to the process, all or none. Returns the descriptors' part of the request.

        Raises ImageError, RedactionError, EngineTimeout, EngineKilled.
        """
        files, hello = self.files, self.hello
        descriptors = await all_opened(openers, limit=limit) if openers else []
        if files is None or hello is None or files is not self.files:  # the process was ended in the meantime
            for descriptor in descriptors:
                os.close(descriptor)
            raise EngineKilled
        return [files.give(descriptor, hello.pid) for descriptor in descriptors]

    def let_go(self) -> Child | None:
        """Clear the slot and return its process, which the caller ends."""
        if self.files is not None:
            self.files.close()
        child, self.client, self.hello, self.files = self.child, None, None, None
        return child


def cores() -> int:
    """The number of cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processes_for(cores: int) -> int:
    """The number of engine processes that keep this many cores busy, each with an equal share of threads.

    One thread each wastes the least, but each process takes its own memory: at most four processes, with more threads on more cores.
    """
    return cores // -(-cores // MOST_PROCESSES)


def most_processes(settings: EngineSettings) -> int:
    """The number of processes of an engine with these settings at full load."""
    usable = settings.max_cores or MANY
    return min(settings.workers or processes_for(min(cores(), usable)), usable)


def memory_of(pid: int) -> int:
    """Resident bytes of a process; 0 if it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


class FamilyMemory:
    """Returns the resident bytes of a process and its descendants, for many calls in turn.

    Listing descendants reads every process of the system, which costs an idle agent as much as all else it does. So it is done at each
    `every`-th call for the same process.
    """

    def __init__(self, every: int = 6) -> None:
        self._every = every
        self._calls = 0
        self._pids: list[int] = []

    def __call__(self, pid: int) -> int:
        if self._pids[:1] != [pid] or self._calls % self._every == 0:
            self._pids = [pid, *_descendants(pid)]
            self._calls = 0
        self._calls += 1
        return sum(map(memory_of, self._pids))


def _descendants(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []


def lower_priority(pid: int) -> None:
    """Lower a process's priority."""
    with suppress(psutil.Error):
        psutil.Process(pid).nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", _NICE))


# -- The queue of tasks waiting for a slot of the pool, and the free slots ---------------------------------------------------------
@dataclass(order=True)
class _Waiter:
    """Tasks that a user waits for are served first, then the earliest."""

    in_line: bool
    number: int
    slot: "asyncio.Future[Slot]" = field(compare=False)


class SlotQueue:
    """All slots and a queue of tasks waiting for one. Use it from one event loop."""

    def __init__(self, back: Callable[[Slot], None]) -> None:
        """`back` receives a slot that was assigned at the moment its waiter was cancelled."""
        self._back = back
        self._waiting: list[_Waiter] = []
        self._arrivals = 0
        self.slots: list[Slot] = []
        self.free: list[Slot] = []

    async def take(self, urgent: bool, most: int) -> Slot:
        """A free slot, a new one as long as there are fewer than `most`, or the first one handed over."""
        if self.free:
            slot = self.free.pop()  # the one used last: the others may go idle and end
            if slot.idle is not None:
                slot.idle.cancel()
            return slot
        if len(self.slots) < most:
            self.slots.append(slot := Slot())
            return slot
        self._arrivals += 1
        waiter = _Waiter(not urgent, self._arrivals, asyncio.get_running_loop().create_future())
        heapq.heappush(self._waiting, waiter)
        try:
            return await waiter.slot
        except asyncio.CancelledError:
            if waiter.slot.done() and not waiter.slot.cancelled() and waiter.slot.exception() is None:
                self._back(waiter.slot.result())  # handed over at the moment of the cancellation
            raise

    def hand_over(self, slot: Slot) -> bool:
        """Give a slot, possibly a new one, to the first waiter; False if there is no waiter."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.slot.done():
                if slot not in self.slots:
                    self.slots.append(slot)
                waiter.slot.set_result(slot)
                return True
        return False

    def close(self, error: Callable[[], AgentError]) -> None:
        """Fail all waiters with this error."""
        for waiter in self._waiting:
            if not waiter.slot.done():
                waiter.slot.set_exception(error())
        self._waiting.clear()
