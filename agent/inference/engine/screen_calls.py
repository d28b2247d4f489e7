"""The calls of the screen's engine and their possible responses."""

import re
from dataclasses import dataclass
from typing import Final

from agent.domain.face import Analysis
from agent.domain.redaction import Cover
from agent.domain.screen import Monitor, ScreenRef, ScreenRegion
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.engine_calls import are_faces, is_analysis, is_jpeg
from agent.inference.engine.rpc import DONE, NOTHING, Call, Codec
from agent.inference.engine.screen_port import GrabbedFrame, WatchedScreen, WatchTask

# The first bytes of each format.
FORMATS: Final = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff", "webp": b"RIFF", "bmp": b"BM"}
_HANDLE: Final = re.compile(r"[0-9a-f]{32}")
# A window covers each monitor at its full size; even a wall of monitors has far fewer pixels.
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
class ScreenCoverRequest:
    handle: str
    covers: tuple[Cover, ...]
    format: str


def are_monitors(monitors: tuple[Monitor, ...], _: None) -> bool:
    numbered = all(monitor.number == place for place, monitor in enumerate(monitors, 1))
    return numbered and 0 < len(monitors) <= _MOST_MONITORS and all(map(_is_monitor, monitors))


def _is_monitor(monitor: Monitor) -> bool:
    return (
        all(0 <= each <= _FARTHEST for each in (monitor.x, monitor.y))
        and all(1 <= each <= _FARTHEST for each in (monitor.w, monitor.h))
        and all(abs(each) <= _FARTHEST for each in (monitor.left, monitor.top))
        and _SCALES[0] <= monitor.scale <= _SCALES[1]
    )


def is_frame(frame: GrabbedFrame, _: object) -> bool:
    return _HANDLE.fullmatch(frame.handle) is not None and all(1 <= side <= _FARTHEST for side in (frame.width, frame.height))


def is_covered(picture: bytes, asked: ScreenCoverRequest) -> bool:
    """Whether it has the requested format: other programs display it."""
    return picture.startswith(FORMATS[asked.format])


def is_watched(watched: WatchedScreen, task: WatchTask) -> bool:
    recognises = task.recipe.embedder is not None
    prints = [face.embedding for face in watched.faces if face.embedding is not None]
    return (
        (recognises or not prints)
        and all(len(each) % 4 == 0 for each in prints)
        and all(face.chip is None for face in watched.faces)
        and are_faces(watched.faces)
        and (watched.changed or not watched.faces)
    )


MONITORS = Call("monitors", NOTHING, Codec(tuple[Monitor, ...]), are_monitors, urgent=True)
GRAB = Call("grab", Codec(ScreenRef), Codec(GrabbedFrame), is_frame, urgent=True)
TAKE = Call("take", NOTHING, Codec(GrabbedFrame), is_frame, files=1, urgent=True)
FRAME = Call("frame", Codec(FrameRequest), Codec(bytes), is_jpeg, urgent=True)
AHEAD = Call("ahead", Codec(LookRequest), DONE, urgent=True)
LOOK = Call("look", Codec(LookRequest), Codec(Analysis), lambda analysis, asked: is_analysis(analysis, asked.task), urgent=True)
COVER = Call("cover", Codec(ScreenCoverRequest), Codec(bytes), is_covered, urgent=True)
DROP = Call("drop", Codec(str), DONE, urgent=True)
WATCH = Call("watch", Codec(WatchTask), Codec(WatchedScreen), is_watched)
UNWATCH = Call("unwatch", NOTHING, DONE)
