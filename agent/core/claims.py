"""Which of several processes on one library does a piece of work."""

from typing import Protocol


class Claims(Protocol):
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


class Unshared:
    """There is one process."""

    shared = False

    async def take(self, name: str) -> bool:
        return True

    async def drop(self, name: str) -> None:
        """No other process waits for it."""

    async def close(self) -> None:
        """There is nothing to give back."""
