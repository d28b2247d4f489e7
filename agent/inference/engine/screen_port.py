"""Takes screenshots and keeps them inside: only covered pictures come out, and the frame on which a region is chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from agent.domain.errors import AgentError
from agent.domain.face import Analysis, Face
from agent.domain.image import Recipe
from agent.domain.redaction import Cover
from agent.domain.scene import Scene, Window
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.analyser import Analyse


@dataclass(frozen=True, slots=True)
class GrabbedFrame:
    """A screenshot that was taken. Its pixels stay in the engine and are dropped after a long time without use."""

    handle: str
    width: int  # pixels
    height: int


class ScreenGrabber(Protocol):
    """Every method may raise EngineError, ModelError or CaptureError; CaptureGone for an unknown handle.

    Implementations: the screen's engine process, and a fake in the tests.
    """

    async def monitors(self) -> tuple[Monitor, ...]:
        """The current monitors, in the system's order."""
        ...

    async def grab(self, ref: ScreenRef) -> GrabbedFrame:
        """Take a screenshot. Raises MonitorUnknown, RegionOutside."""
        ...

    async def take(self, path: str) -> GrabbedFrame:
        """Take the screenshot from a file made by the desktop. Raises ImageError."""
        ...

    async def frame(self, handle: str, region: ScreenRegion | None) -> bytes:
        """The uncovered screenshot as JPEG, only for the window in which the user chooses a region."""
        ...

    async def ahead(self, handle: str, task: Analyse) -> None:
        """Find its faces while the region is being chosen: a later `look` with the same task then answers at once."""
        ...

    async def look(self, handle: str, region: ScreenRegion | None, task: Analyse) -> Analysis:
        """Keep only the region and find the faces in it. `task.path` is ignored. Raises RegionOutside."""
        ...

    async def cover(self, handle: str, covers: tuple[Cover, ...], format: str) -> bytes:
        """The picture with its covers, as "png", "jpeg", "webp" or "bmp"."""
        ...

    async def drop(self, handle: str) -> None:
        """Delete the screenshot; does nothing for an unknown handle."""
        ...

    def forget(self) -> None:
        """Release all pictures and faces."""
        ...

    async def close(self) -> None: ...


class Clipboard(Protocol):
    """Implementations: one for each system."""

    formats: tuple[str, ...]  # the formats that it wants a picture in

    async def put(self, pictures: Mapping[str, bytes]) -> None:
        """Put the picture on the clipboard, in all of the formats. Raises ClipboardFailed."""
        ...

    async def close(self) -> None: ...


# -- Watches the screen: pictures are taken and analysed inside the engine, and none of them is kept -------------------------------
@dataclass(frozen=True, slots=True)
class WatchTask:
    """One look at the screen."""

    recipe: Recipe
    monitors: tuple[int, ...] = ()  # by their numbers; empty: all monitors
    min_score: float = 0.5
    min_face: float = 48.0  # pixels as grabbed; smaller faces are ignored
    anew: bool = False  # also if nothing has changed since the last look


@dataclass(frozen=True, slots=True)
class WatchedScreen:
    """The result of a look."""

    changed: bool  # False: the screen and its faces are the same as at the last look
    faces: tuple[Face, ...] = ()  # all faces, in pixels of all monitors together; without chips


class ScreenWatcher(Protocol):
    """Both methods may raise EngineError, ModelError or CaptureError.

    Implementations: the screen's engine process, and a fake in the tests.
    """

    async def watch(self, task: WatchTask) -> WatchedScreen:
        """Raises MonitorUnknown if none of the monitors exists."""
        ...

    async def unwatch(self) -> None:
        """Stop watching for now: drop all state kept for the next look."""
        ...


@dataclass(frozen=True, slots=True)
class WatchedDesktop:
    """The desktop's state while the screen is watched. Every call blocks for some milliseconds."""

    front: Callable[[], Window | None]  # the active one, if the system tells
    scene: Callable[[], Scene]
    locked: Callable[[], bool]  # the session is locked, or another user's is in front
    refused: Callable[[], AgentError | None]  # the reason why watching is impossible here
    rest: Callable[[], None]  # release resources: no call is expected for a while
