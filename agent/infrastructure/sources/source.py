"""The Source port: the events that a source emits, and its methods; and all sources as one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from agent.domain.errors import AgentError
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority
from agent.infrastructure.core.photo_files import open_photo


@dataclass(frozen=True, slots=True)
class FileAppeared:
    """A new or changed file that is stable: its size and time no longer change."""

    seen: FileSeen
    priority: Priority = Priority.NEW


@dataclass(frozen=True, slots=True)
class FileMoved:
    old: str
    new: FileSeen


@dataclass(frozen=True, slots=True)
class TreeMoved:
    """A folder was renamed inside a watched folder."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class FilesGone:
    """Deleted files, or a folder with everything below it."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SidecarChanged:
    """A new or changed, stable sidecar; or a whole watched folder, if the file is unknown."""

    path: str


@dataclass(frozen=True, slots=True)
class SourceFailed:
    folder: str
    error: AgentError


@dataclass(frozen=True, slots=True)
class SourceRecovered:
    folder: str


Change: TypeAlias = FileAppeared | FileMoved | TreeMoved | FilesGone | SidecarChanged | SourceFailed | SourceRecovered
Emit: TypeAlias = Callable[[Change], Awaitable[None]]


class Source(Protocol):
    """A source of images. Implementations: folders with system events, folders polled at intervals; later the screen."""

    async def run(self, emit: Emit) -> None:
        """Emit changes until cancelled. `emit` waits while the consumer is busy, which bounds the queue."""
        ...

    async def rescan(self) -> None:
        """Scan everything now and emit changes since the library's last state."""
        ...


class RemoteSource(Source, Protocol):
    """A source whose items are no files of this computer: it opens them itself. A team server's buckets are one."""

    def open(self, item: str) -> int:
        """Return a descriptor of a file of its own, from the start. Blocks. Raises ImageError, SourceError."""
        ...


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
