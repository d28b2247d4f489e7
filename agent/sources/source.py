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
    """Where images come from. Implementations: folders told by the system, folders asked at intervals; later the screen."""

    async def run(self, emit: Emit) -> None:
        """Emit changes until cancelled. `emit` waits while the consumer is busy: that is the bound."""
        ...

    async def rescan(self) -> None:
        """Look through everything now and emit what changed since the library last saw it."""
        ...
