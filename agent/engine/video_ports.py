"""What makes covered copies of clips, a part at a time; and where what is finished of them is kept meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.domain.video import Clip, Covered, Part, Piece, Seen


@dataclass(frozen=True, slots=True)
class DrawPart:
    """One part to write."""

    path: str  # the clip
    output: str  # a file that is not there yet
    part: Part
    ways: tuple[Covered, ...]
    format: str  # of the whole copy, as `Clip` says
    strip: bool = False  # as for `JoinClip`: of a film the one part is all of it


@dataclass(frozen=True, slots=True)
class JoinClip:
    """The copy to write."""

    path: str  # the clip, for its sound
    made: str  # all parts in one file
    output: str  # a file that is not there yet
    pieces: tuple[Piece, ...]
    format: str
    strip: bool  # leave out what is said of the clip


@dataclass(frozen=True, slots=True)
class Joined:
    copy_size: int  # bytes
    removed: tuple[str, ...]  # kinds of what `strip` left out


class ClipRenderer(Protocol):
    """Implementations: the pool of engine processes, and the same code in this process (tests, tools).

    On any error an output is not there. All raise ImageError, EngineError, ModelError, RedactionError.
    """

    @property
    def at_once(self) -> int:
        """How many parts are worked on side by side without waiting for each other."""
        ...

    async def probe(self, path: str) -> Clip: ...

    async def look(self, path: str, part: Part, tick: float, embedder: str | None = None) -> Seen:
        """With an embedder's recipe name: with prints of the faces, as far as those can be trusted."""
        ...

    async def draw(self, task: DrawPart) -> int:
        """Returns how many frames were written."""
        ...

    async def join(self, task: JoinClip) -> Joined: ...

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        """The frame that is shown then, as JPEG, its longer side at most `side` pixels."""
        ...


class ClipJob(Protocol):
    """What is finished of one copy. A step is there whole or not at all, also after a kill. Every call blocks.

    All but `seen` and `drawn` raise CopyUnwritable, CopyDiskFull. Implementation: `agent.redaction.video.job_files.FolderJob`.
    """

    def seen(self, number: int) -> Seen | None:
        """What was seen in a part; None if nobody looked yet."""
        ...

    def keep_seen(self, number: int, seen: Seen) -> None: ...

    def drawn(self, number: int) -> bool:
        """Whether a part is written."""
        ...

    def part_output(self, number: int) -> str:
        """Where to write a part: nothing is there."""
        ...

    def keep_part(self, number: int) -> None:
        """What was written there is a finished part."""
        ...

    def gather(self, parts: tuple[Part, ...]) -> tuple[Path, tuple[Piece, ...]]:
        """All parts in one file, without those that have no frame."""
        ...

    def remove(self) -> None:
        """Nothing of it is wanted any more. Never raises."""
        ...


class ClipJobs(Protocol):
    def job(self, clip: Clip, wish: str) -> ClipJob:
        """The job of this clip for this wish, begun or new. Raises CopyUnwritable, CopyDiskFull."""
        ...
