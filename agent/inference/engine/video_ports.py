"""Makes covered copies of clips, a part at a time, and stores finished parts meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.domain.video import Covered, PartDetections, Piece, VerifiedPart, Video, VideoPart


@dataclass(frozen=True, slots=True)
class DrawPart:
    """One part to write."""

    path: str  # the clip
    output: str  # a file that does not exist yet
    part: VideoPart
    ways: tuple[Covered, ...]
    format: str  # of the whole copy, as in `Video`
    strip: bool = False  # as for `JoinVideo`: a film has a single part


@dataclass(frozen=True, slots=True)
class JoinVideo:
    """The copy to write."""

    path: str  # the clip, for its sound
    made: str  # all parts in one file
    output: str  # a file that does not exist yet
    pieces: tuple[Piece, ...]
    format: str
    strip: bool  # leave out the clip's metadata


@dataclass(frozen=True, slots=True)
class Joined:
    copy_size: int  # bytes
    removed: tuple[str, ...]  # kinds of metadata that `strip` left out
    frames: int = 0  # of a clip
    last: int = -1  # the moment of its last frame


@dataclass(frozen=True, slots=True)
class ProvePart:
    """A part of the written copy to check."""

    path: str  # the clip
    copy: str
    part: VideoPart  # of `parts_of_copy`
    ways: tuple[Covered, ...]


class VideoRenderer(Protocol):
    """Implementations: the pool of engine processes, and the same code in this process (tests, tools).

    On any error no output is left. All raise ImageError, EngineError, ModelError, RedactionError.
    """

    @property
    def at_once(self) -> int:
        """How many parts can be processed in parallel without waiting."""
        ...

    async def probe(self, path: str) -> Video: ...

    async def look(self, path: str, part: VideoPart, tick: float, embedder: str | None = None) -> PartDetections:
        """Find the faces of a part. With an embedder's recipe name: with embeddings, where the faces allow reliable ones."""
        ...

    async def draw(self, task: DrawPart) -> int:
        """Write a part. Returns the number of frames written."""
        ...

    async def join(self, task: JoinVideo) -> Joined: ...

    async def prove(self, task: ProvePart) -> VerifiedPart:
        """Decode a part of a clip's copy and check its covers. Raises CopyUnproven."""
        ...

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        """The frame shown at that time, as JPEG, its longer side at most `side` pixels."""
        ...


class VideoJob(Protocol):
    """The finished steps of one copy. A step is stored completely or not at all, even after a kill. Every call blocks.

    All but `seen` and `drawn` raise CopyUnwritable, CopyDiskFull. Implementation: `agent.features.redaction.video.job_files.VideoJobFiles`.
    """

    def seen(self, number: int) -> PartDetections | None:
        """The result of looking at a part; None if it was not looked at yet."""
        ...

    def keep_seen(self, number: int, seen: PartDetections) -> None: ...

    def drawn(self, number: int) -> bool:
        """Whether a part is written."""
        ...

    def part_output(self, number: int) -> str:
        """The path to write a part to: no file exists there."""
        ...

    def keep_part(self, number: int) -> None:
        """Mark the file at that path as a finished part."""
        ...

    def gather(self, parts: tuple[VideoPart, ...]) -> tuple[Path, tuple[Piece, ...]]:
        """All parts in one file, except parts without a frame."""
        ...

    def remove(self) -> None:
        """Delete the job. Never raises."""
        ...


class VideoJobs(Protocol):
    def job(self, clip: Video, wish: str) -> VideoJob:
        """The job of this clip for this request, existing or new. Raises CopyUnwritable, CopyDiskFull."""
        ...
