"""What was read of the database for requests, kept until it may have changed."""

import asyncio
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class Ends(Protocol):
    """Something that requests go on with only until it is `over`."""

    @property
    def over(self) -> asyncio.Event: ...
    @property
    def member_id(self) -> str: ...


T = TypeVar("T", bound=Ends)


class ReadThroughCache(Generic[T]):
    """Reads by key, once. What changes is dropped: by this process, or when the database tells of another's change."""

    def __init__(self, read: Callable[[str], T | None]) -> None:
        self._read = read  # blocks
        self._found: dict[str, T] = {}
        self._drops = 0

    async def get(self, key: str) -> T | None:
        """None if there is none."""
        while (found := self._found.get(key)) is None:
            drops = self._drops
            read = await asyncio.to_thread(self._read, key)
            if read is None:
                return None
            if drops == self._drops:  # otherwise it may be of before the change
                return self._found.setdefault(key, read)
        return found

    def drop(self, which: Callable[[T], bool]) -> None:
        """Forget those, and end what goes on with them; the next request reads them again, if they are still there."""
        self._drops += 1
        for key, found in [(key, found) for key, found in self._found.items() if which(found)]:
            del self._found[key]
            found.over.set()
