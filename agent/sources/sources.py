"""All sources as one: the watched folders, and others by the scheme of their items' URIs, such as `s3://bucket/photo.jpg`."""

import asyncio
from collections.abc import Callable, Mapping

from agent.engine.open_files import open_photo
from agent.sources.source import Emit, RemoteSource, Source


class Sources:
    """A Source. An item without a scheme is a file of this computer."""

    def __init__(self, folders: Source, others: Mapping[str, RemoteSource]) -> None:
        """`others` by scheme, without `://`."""
        self._folders = folders
        self._others = others
        self._open = opener_of(open_photo, {scheme: source.open for scheme, source in others.items()})

    async def run(self, emit: Emit) -> None:
        async with asyncio.TaskGroup() as tasks:
            for source in (self._folders, *self._others.values()):
                tasks.create_task(source.run(emit))

    async def rescan(self) -> None:
        await asyncio.gather(*(source.rescan() for source in (self._folders, *self._others.values())))

    def open(self, item: str) -> int:
        """Return a descriptor to read the item from. Blocks. Raises ImageError, SourceError."""
        return self._open(item)


def opener_of(open_file: Callable[[str], int], others: Mapping[str, Callable[[str], int]]) -> Callable[[str], int]:
    """Return what opens files with `open_file`, and other items by their scheme."""

    def open_item(item: str) -> int:
        scheme, mark, _ = item.partition("://")
        return (others.get(scheme, open_file) if mark else open_file)(item)

    return open_item
