"""Work that only one of several processes on the same library may do: the leader's, and pieces that one of them claims."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol


class Leadership(Protocol):
    """Use it from one event loop."""

    @property
    def leads(self) -> bool: ...

    async def during(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work while this process leads: it is cancelled when another one takes over, and begins anew when it leads again.

        Return when the work ends by itself. Runs until cancelled otherwise.
        """
        ...


class SingleProcessLeadership:
    """There is one process: it leads."""

    leads = True

    async def during(self, work: Callable[[], Awaitable[None]]) -> None:
        await work()


class LeadershipState:
    """Implements Lead; `set` says whether this process leads. Make it inside the event loop."""

    def __init__(self) -> None:
        self._yes, self._no = asyncio.Event(), asyncio.Event()
        self._no.set()

    @property
    def leads(self) -> bool:
        return self._yes.is_set()

    def set(self, leads: bool) -> None:
        for event, wanted in ((self._yes, leads), (self._no, not leads)):
            if wanted:
                event.set()
            else:
                event.clear()

    async def during(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._yes.wait()
            doing, lost = asyncio.ensure_future(work()), asyncio.ensure_future(self._no.wait())
            try:
                await asyncio.wait({doing, lost}, return_when=asyncio.FIRST_COMPLETED)
                if doing.done():
                    return doing.result()
            finally:
                for task in (doing, lost):
                    task.cancel()
                await asyncio.gather(doing, lost, return_exceptions=True)


class WorkClaims(Protocol):
    """Use them from one event loop. A process that ends loses its claims."""

    @property
    def shared(self) -> bool:
        """Whether there may be other processes."""
        ...

    async def take(self, name: str) -> bool:
        """Claim it; False if another process has. Raises StoreError."""
        ...

    async def drop(self, name: str) -> None:
        """Give it back. Raises StoreError."""
        ...

    async def close(self) -> None:
        """Give all back."""
        ...


class LocalWorkClaims:
    """There is one process."""

    shared = False

    async def take(self, name: str) -> bool:
        return True

    async def drop(self, name: str) -> None:
        """No other process waits for it."""

    async def close(self) -> None:
        """There is nothing to give back."""
