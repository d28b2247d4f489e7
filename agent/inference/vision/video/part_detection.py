"""Detects faces in a part of a video: in enough frames to interpolate the others."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final, TypeAlias

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.domain.redaction import head_of
from agent.domain.video import FrameDetections, PartDetections, VideoDetection, VideoPart
from agent.inference.vision.codecs import Pixels
from agent.inference.vision.detection import NMS_IOU, Detection, Look, five, suppress
from agent.inference.vision.frame_embeddings import Prints
from agent.inference.vision.tiles import grid, padded
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.planes import planes_of
from agent.inference.vision.video.video_opening import frames, moment_of, opened

# All measured on 1080p: seconds between detections; the longer side; and after how many of them the next is finer, for
# small faces, which move slowly.
EVERY_S: Final = 0.15
SIDE, FINE_SIDE, FINE_EACH = 1280, 1920, 6
# One in this many detections computes prints, if wanted.
PRINTS_EACH: Final = 2
# Weaker ones are never faces; those up to the detector's own threshold only continue earlier tracks.
LEAST_SCORE: Final = 0.2
# The net's input parts have at most this side, and overlap by at least this much.
_WINDOW, _OVERLAP = 1312, 128
_STEP = 32


def look_through(
    file: BinaryIO, part: VideoPart, tick: float, look: Look, threads: int = 1, prints: Prints | None = None
) -> PartDetections:
    """Return faces and cuts of a part. Raises VideoUnreadable, VideoNoPicture.

    Detection also runs on the last frame before a cut, and of the part: another scene often begins with the next part, and a face's
    position after the last detection can only be guessed; identifications apply only between two of them.
    """
    with opened(file) as clip:
        size = clip.size
    cuts = Cuts()
    sights: list[FrameDetections] = []
    begins: list[int] = []
    due = part.start
    last: VideoFrame | None = None

    def see(frame: VideoFrame, side: int, prints: Prints | None) -> None:
        sights.append(FrameDetections(_shown_at(frame), tuple(finds(frame, size, look, side, prints))))

    for frame in frames(file, part, threads, coarse=True):
        moment = _shown_at(frame)
        cut = cuts.begins(*planes_of(frame))
        if cut:
            begins.append(moment)
            if last is not None:
                see(last, SIDE, prints)
        if cut or moment >= due:
            fine = cut or len(sights) % FINE_EACH == 0
            see(frame, FINE_SIDE if fine else SIDE, prints if cut or len(sights) % PRINTS_EACH == 0 else None)
            due = moment + math.ceil(EVERY_S / tick)
            last = None
        else:
            last = frame
    if last is not None:
        see(last, SIDE, prints)
    return PartDetections(tuple(sights), tuple(begins))


def finds(frame: VideoFrame, size: tuple[int, int], look: Look, side: int, prints: Prints | None = None) -> Iterator[VideoDetection]:
    """Return the faces of a frame, detected at a longer side of at most `side`, in pixels of the upright picture.

    `size` is that of the video's first frame, whose coordinates all faces use: the frame size may change.
    """
    ratio = min(1.0, side / max(frame.width, frame.height))
    less = max(1, round(frame.width * ratio)), max(1, round(frame.height * ratio))
    turn = Turn.of(frame)
    # The colours need not be right: the net finds faces in any.
    small = frame.reformat(*less, format="rgb24", interpolation="AREA").to_ndarray()
    pixels = turn.turned(np.asarray(small, np.uint8))
    own, first = turn.upright(frame.width, frame.height), turn.upright(*size)
    found = [_scaled(face, turn.upright(*less), own) for face in _found(pixels, look)]

    def whole() -> Pixels:
        return turn.turned(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))

    printed = prints(whole, found) if prints is not None else [None] * len(found)
    for face, print in zip(found, printed, strict=True):
        head = Detection(head_of(face.box, face.landmarks), face.score, face.landmarks)
        yield VideoDetection((head if own == first else _scaled(head, own, first)).box, face.score, print)


def _scaled(face: Detection, given: tuple[int, int], wanted: tuple[int, int]) -> Detection:
    box, across, down = face.box, wanted[0] / given[0], wanted[1] / given[1]
    points = five([(x * across, y * down) for x, y in face.landmarks])
    return Detection(Box(box.x * across, box.y * down, box.w * across, box.h * down), face.score, points)


def _shown_at(frame: VideoFrame) -> int:
    moment = moment_of(frame)
    assert moment is not None  # frames without a time are not in a part
    return moment


def _found(pixels: Pixels, look: Look) -> list[Detection]:
    """Detect in a picture of any size, in windows that suit the net."""
    height, width = pixels.shape[:2]
    found = []
    for left, top, right, bottom in grid(width, height, _WINDOW, _OVERLAP):
        inner = (left > 0, top > 0, right < width, bottom < height)
        for face in suppress(look(padded(pixels[top:bottom, left:right], _STEP), LEAST_SCORE), NMS_IOU):
            if not _cut(face.box, right - left, bottom - top, inner):
                box = Box(face.box.x + left, face.box.y + top, face.box.w, face.box.h)
                found.append(Detection(box, face.score, five([(x + left, y + top) for x, y in face.landmarks])))
    return suppress(sorted(found, key=lambda face: -face.score), NMS_IOU)


def _cut(box: Box, width: int, height: int, inner: tuple[bool, bool, bool, bool]) -> bool:
    """Return whether an inner side cuts a face that fits into another window."""
    if max(box.w, box.h) >= _OVERLAP:
        return False
    left, top, right, bottom = inner
    return (left and box.x <= 0) or (top and box.y <= 0) or (right and box.x + box.w >= width) or (bottom and box.y + box.h >= height)


# -- Detects where a scene begins --------------------------------------------------------------------------------------------------
# Mean grey levels (of 256) by which a frame differs from the previous one: less is no cut,
LEAST: Final = 14.0
# and this many times more than for the frames before.
TIMES: Final = 3.5
_MEMORY: Final = 8  # frames
_GRID: Final = (64, 36)
_ENOUGH: Final = 216  # rows: larger frames are subsampled

Plane: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]


class Cuts:
    """Gets the frames one after another."""

    def __init__(self) -> None:
        self._last: NDArray[np.float32] | None = None
        self._size: tuple[int, ...] = ()
        self._usual: deque[float] = deque(maxlen=_MEMORY)

    def begins(self, planes: Sequence[Plane], depth: int = 8) -> bool:
        """Return whether a scene begins with this frame; a frame of another size always begins one, the first frame never.

        Each plane is [height, width], of `depth` bits.
        """
        small = np.stack([_shrunk(plane) for plane in planes]) / np.float32(1 << (depth - 8))
        last, self._last = self._last, small
        size, self._size = self._size, planes[0].shape
        if last is None:
            return False
        if size != self._size or last.shape != small.shape:
            self._usual.clear()
            return True
        # Brightness and both colours: equally bright scenes differ in these.
        differs = float(np.abs(small - last).mean(axis=(1, 2)).sum())
        usual = float(np.median(self._usual)) if self._usual else 0.0
        self._usual.append(differs)
        if differs < max(LEAST, TIMES * usual):
            return False
        self._usual.clear()
        return True


def _shrunk(plane: Plane) -> NDArray[np.float32]:
    step = max(1, min(plane.shape) // _ENOUGH)
    few = np.ascontiguousarray(plane[::step, ::step], np.float32)
    return np.asarray(cv2.resize(few, _GRID, interpolation=cv2.INTER_AREA), np.float32)
