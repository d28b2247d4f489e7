"""Where images come from: what a source tells, and how it is asked."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from agent.domain.errors import AgentError
from agent.domain.image import FileSeen
from agent.domain.jobs import Priority


@dataclass(frozen=True, slots=True)
class FileAppeared:
    """New or changed, and steady: size and time have stopped moving."""

    seen: FileSeen
    priority: Priority = Priority.NEW


@dataclass(frozen=True, slots=True)
class FileMoved:
    old: str
    new: FileSeen


@dataclass(frozen=True, slots=True)
class TreeMoved:
    """A folder was renamed inside what is watched."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class FilesGone:
    """Files, or a folder with all that is below it."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SidecarChanged:
    """New or changed, and steady; or a whole watched folder, where it is not known which."""

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
    """Where images come from. Implementations: the watched folders, and all sources together."""

    async def run(self, emit: Emit) -> None:
        """Emit changes until cancelled. `emit` waits while the consumer is busy: that is the bound."""
        ...

    async def rescan(self) -> None:
        """Look through everything now and emit what changed since the library last saw it."""
        ...


class RemoteSource(Source, Protocol):
    """A source whose items are no files of this computer: it opens them itself. None is shipped yet; docs/decisions has the trial."""

    def open(self, item: str) -> int:
        """Return a descriptor of a file of its own, from the start. Blocks. Raises ImageError, SourceError."""
        ...
