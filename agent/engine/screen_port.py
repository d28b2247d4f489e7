"""What takes pictures of the screen and keeps them to itself: only what is covered comes out, and the frame that a region is chosen on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.domain.face import Analysis
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.engine.analyser import Analyse


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture that was taken. Its pixels stay where they are, and are gone when they were not asked for in a long time."""

    handle: str
    width: int  # pixels
    height: int


class ScreenGrabber(Protocol):
    """Every method may raise EngineError, ModelError or CaptureError; CaptureGone for a handle that is not known any more.

    Implementations: the screen's engine process, and a fake in the tests.
    """

    async def monitors(self) -> tuple[Monitor, ...]:
        """Those there are now, in the system's order."""
        ...

    async def grab(self, ref: ScreenRef) -> Frame:
        """Take a picture of it. Raises MonitorUnknown, RegionOutside."""
        ...

    async def take(self, path: str) -> Frame:
        """The same of a file that the desktop made. Raises ImageError."""
        ...

    async def frame(self, handle: str, region: ScreenRegion | None) -> bytes:
        """JPEG of what was taken, uncovered: for the window in which the user chooses a region, and for nothing else."""
        ...

    async def ahead(self, handle: str, task: Analyse) -> None:
        """Find its faces already while the region is chosen: `look` with the same task has only to tell them then."""
        ...

    async def look(self, handle: str, region: ScreenRegion | None, task: Analyse) -> Analysis:
        """Keep the region only, and find the faces in it. `task.path` does not count. Raises RegionOutside."""
        ...

    async def cover(self, handle: str, covers: tuple[Cover, ...], format: str) -> bytes:
        """The picture with its covers, as "png", "jpeg", "webp" or "bmp"."""
        ...

    async def drop(self, handle: str) -> None:
        """Forget it; nothing if it is not there."""
        ...

    def forget(self) -> None:
        """Hold nothing any more, neither pictures nor faces."""
        ...

    async def close(self) -> None: ...


class Clipboard(Protocol):
    """Implementations: one for each system."""

    formats: tuple[str, ...]  # what it wants a picture in

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        """Put the picture there, in all of the formats. Raises ClipboardFailed."""
        ...

    async def close(self) -> None: ...
