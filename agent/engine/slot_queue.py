"""The queue of tasks waiting for a slot of the pool, and the free slots."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.domain.errors import AgentError
from agent.engine.worker_slot import Slot


@dataclass(order=True)
class _Waiter:
    """Tasks that a user waits for are served first, then the earliest."""

    in_line: bool
    number: int
    slot: "asyncio.Future[Slot]" = field(compare=False)


class Line:
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
