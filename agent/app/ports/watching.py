"""What watches the screen: pictures are taken and looked at where they are kept from everybody, and nothing of them stays."""

from dataclasses import dataclass
from typing import Protocol

from agent.domain.face import Face
from agent.domain.image import Recipe


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
