"""Watches the screen: pictures are taken and analysed inside the engine, and none of them is kept."""

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
    monitors: tuple[int, ...] = ()  # by their numbers; empty: all monitors
    min_score: float = 0.5
    min_face: float = 48.0  # pixels as grabbed; smaller faces are ignored
    anew: bool = False  # also if nothing has changed since the last look


@dataclass(frozen=True, slots=True)
class Watched:
    """The result of a look."""

    changed: bool  # False: the screen and its faces are the same as at the last look
    faces: tuple[Face, ...] = ()  # all faces, in pixels of all monitors together; without chips


class ScreenWatcher(Protocol):
    """Both methods may raise EngineError, ModelError or CaptureError.

    Implementations: the screen's engine process, and a fake in the tests.
    """

    async def watch(self, task: WatchTask) -> Watched:
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
