"""The Source port: the events that a source emits, and its methods."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from agent.domain.errors import AgentError
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority


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
