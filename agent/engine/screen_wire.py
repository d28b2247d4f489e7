"""What the agent and the screen's engine say to each other, in the engine's way of speaking."""

import re
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from agent.domain.errors import EngineBadAnswer
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.engine.analyser import Analyse
from agent.engine.rpc import STRICT, Codec, are_faces
from agent.engine.screen_port import Frame
from agent.engine.watching_port import Watched, WatchTask

# How a picture of each format begins.
FORMATS: Final = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "bmp": b"BM"}
_HANDLE: Final = re.compile(r"[0-9a-f]{32}")
# A window is opened over each monitor, as large as that; a whole wall of them has less, by far.
_MOST_MONITORS: Final = 64
_FARTHEST: Final = 200_000  # pixels
_SCALES: Final = (0.25, 16.0)


@dataclass(frozen=True, slots=True)
class FrameRequest:
    handle: str
    region: ScreenRegion | None


@dataclass(frozen=True, slots=True)
class LookRequest:
    handle: str
    region: ScreenRegion | None
    task: Analyse


@dataclass(frozen=True, slots=True)
class CoverRequest:
    handle: str
    covers: tuple[Cover, ...]
    format: str


MONITORS = Codec[tuple[Monitor, ...]](TypeAdapter(tuple[tuple[Monitor, ...]], config=STRICT))
GRAB = Codec[ScreenRef](TypeAdapter(tuple[ScreenRef], config=STRICT))
FRAME = Codec[Frame](TypeAdapter(tuple[Frame], config=STRICT))
FRAME_OF = Codec[FrameRequest](TypeAdapter(tuple[FrameRequest], config=STRICT))
LOOK = Codec[LookRequest](TypeAdapter(tuple[LookRequest], config=STRICT))
COVER = Codec[CoverRequest](TypeAdapter(tuple[CoverRequest], config=STRICT))
WATCH = Codec[WatchTask](TypeAdapter(tuple[WatchTask], config=STRICT))
WATCHED = Codec[Watched](TypeAdapter(tuple[Watched], config=STRICT))
HANDLE = Codec[str](TypeAdapter(tuple[str], config=STRICT))


def check_monitors(monitors: tuple[Monitor, ...]) -> tuple[Monitor, ...]:
    """Those that can be an answer. Raises EngineBadAnswer."""
    numbered = all(monitor.number == place for place, monitor in enumerate(monitors, 1))
    if not numbered or not 0 < len(monitors) <= _MOST_MONITORS or not all(map(_is_monitor, monitors)):
        raise EngineBadAnswer
    return monitors


def _is_monitor(monitor: Monitor) -> bool:
    return (
        all(0 <= each <= _FARTHEST for each in (monitor.x, monitor.y))
        and all(1 <= each <= _FARTHEST for each in (monitor.w, monitor.h))
        and all(abs(each) <= _FARTHEST for each in (monitor.left, monitor.top))
        and _SCALES[0] <= monitor.scale <= _SCALES[1]
    )


def check_frame(frame: Frame) -> Frame:
    """Raises EngineBadAnswer."""
    if not _HANDLE.fullmatch(frame.handle) or not all(1 <= side <= _FARTHEST for side in (frame.width, frame.height)):
        raise EngineBadAnswer
    return frame


def check_picture(picture: bytes, format: str) -> bytes:
    """The picture if it is of that format, for others are to show it. Raises EngineBadAnswer."""
    if not picture.startswith(FORMATS[format]):
        raise EngineBadAnswer
    return picture


def check_watched(watched: Watched, task: WatchTask) -> Watched:
    """Raises EngineBadAnswer."""
    recognises = task.recipe.embedder is not None
    prints = [face.embedding for face in watched.faces if face.embedding is not None]
    sound = (recognises or not prints) and all(len(each) % 4 == 0 for each in prints) and all(face.chip is None for face in watched.faces)
    if not sound or not are_faces(watched.faces) or (watched.faces and not watched.changed):
        raise EngineBadAnswer
    return watched
