"""Who waits for a place of the pool, and which places are free."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.domain.errors import AgentError
from agent.engine.worker_slot import Slot


@dataclass(order=True)
class _Waiter:
    """Those a person waits for are served first, then the earliest."""

    in_line: bool
    number: int
    slot: "asyncio.Future[Slot]" = field(compare=False)


class Line:
    """All slots there are, and a line of those who wait for one. Use it from one event loop."""

    def __init__(self, back: Callable[[Slot], None]) -> None:
        """`back` is given a slot that came to somebody in the moment he gave up."""
        self._back = back
        self._waiting: list[_Waiter] = []
        self._arrivals = 0
        self.slots: list[Slot] = []
        self.free: list[Slot] = []

    async def take(self, urgent: bool, most: int) -> Slot:
        """A free slot, a new one as long as there are fewer than `most`, or the first that is handed over."""
        if self.free:
            slot = self.free.pop()  # the one used last: the others may fall idle and end
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
                self._back(waiter.slot.result())  # handed over in the moment of the cancellation
            raise

    def hand_over(self, slot: Slot) -> bool:
        """Give a slot, a new one perhaps, to whoever is first in line; False if nobody waits."""
        while self._waiting:
            waiter = heapq.heappop(self._waiting)
            if not waiter.slot.done():
                if slot not in self.slots:
                    self.slots.append(slot)
                waiter.slot.set_result(slot)
                return True
        return False

    def close(self, error: Callable[[], AgentError]) -> None:
        """Nobody waits any more: all fail with such an error."""
        for waiter in self._waiting:
            if not waiter.slot.done():
                waiter.slot.set_exception(error())
        self._waiting.clear()
