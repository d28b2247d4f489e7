"""What watches the screen: pictures are taken and looked at where they are kept from everybody, and nothing of them stays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.domain.errors import AgentError
from agent.domain.face import Face
from agent.domain.image import Recipe
from agent.domain.scene import Scene, Window


@dataclass(frozen=True, slots=True)
class WatchTask:
    """One look at the screen."""

    recipe: Recipe
    monitors: tuple[int, ...] = ()  # by their numbers; none: all of them
    min_score: float = 0.5
    min_face: float = 48.0  # pixels as they are grabbed; smaller faces are not looked for
    anew: bool = False  # also if nothing has changed since the last look


@dataclass(frozen=True, slots=True)
class Watched:
    """What came of a look."""

    changed: bool  # False: the screen is as it was at the last look, and so are the faces
    faces: tuple[Face, ...] = ()  # all there are, in pixels of all monitors together; without chips


class ScreenWatcher(Protocol):
    """Both methods may raise EngineError, ModelError or CaptureError.

    Implementations: the screen's engine process, and a fake in the tests.
    """

    async def watch(self, task: WatchTask) -> Watched:
        """Raises MonitorUnknown if none of the monitors is there."""
        ...

    async def unwatch(self) -> None:
        """Nothing is watched for now: whatever is kept for the next look goes."""
        ...


@dataclass(frozen=True, slots=True)
class WatchedDesktop:
    """What the desktop tells while the screen is watched. All of it blocks for some milliseconds."""

    front: Callable[[], Window | None]  # the one in use, as far as the system tells
    scene: Callable[[], Scene]
    locked: Callable[[], bool]  # the session is locked, or another user's is in front
    refused: Callable[[], AgentError | None]  # why nothing can be watched here
    rest: Callable[[], None]  # nothing is asked for a while
