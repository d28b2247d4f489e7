"""What passes of a net found, and how the findings of several passes are merged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks, Point
from agent.inference.vision.orientation import point_back, rotate_box_back

NMS_IOU = 0.3
# The coarser pass locates larger faces best; a finer one only adds small ones.
LARGE_FACE = 32.0


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected face: box and landmarks in pixels of the upright image at full size."""

    box: Box
    score: float
    landmarks: Landmarks


# One pass of a net, as `Detector.look`: uint8 [1, height, width, 3] RGB, padded, and the minimum score -> faces in its pixels, best first.
Look: TypeAlias = Callable[[NDArray[np.uint8], float], list[Detection]]


def suppress(found: Sequence[Detection], max_iou: float) -> list[Detection]:
    """Return only the first of detections that overlap by more than `max_iou`; sort them best first."""
    corners = np.array([(face.box.x, face.box.y, face.box.x + face.box.w, face.box.y + face.box.h) for face in found]).reshape(-1, 4)
    areas = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    kept: list[Detection] = []
    left = np.arange(len(found))
    while left.size:
        best, left = left[0], left[1:]
        kept.append(found[best])
        sides = np.minimum(corners[left, 2:], corners[best, 2:]) - np.maximum(corners[left, :2], corners[best, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        left = left[shared <= max_iou * (areas[left] + areas[best] - shared)]
    return kept


def sure(found: Sequence[Detection], min_score: float) -> list[Detection]:
    return [face for face in found if face.score >= min_score]


def size(face: Detection) -> float:
    return min(face.box.w, face.box.h)


def centre(face: Detection) -> tuple[float, float]:
    return face.box.x + face.box.w / 2, face.box.y + face.box.h / 2


def merged(kept: Sequence[Detection], ratio: float, found: Sequence[Detection], large_face: float = LARGE_FACE) -> list[Detection]:
    """Merge the detections of two passes, the first of which was at `ratio` and locates faces from `large_face` of its pixels on best."""
    large = [face for face in kept if size(face) * ratio >= large_face]
    return suppress([*large, *found, *kept], NMS_IOU)


def whole(box: Box, width: int, height: int, cut: tuple[bool, bool, bool, bool]) -> bool:
    """Return whether no inner side of its window cuts the face: otherwise another window shows it whole."""
    left, top, right, bottom = cut
    inside_x = (not left or box.x > 0) and (not right or box.x + box.w < width)
    inside_y = (not top or box.y > 0) and (not bottom or box.y + box.h < height)
    return inside_x and inside_y


def scaled(face: Detection, fx: float, fy: float, dx: float, dy: float) -> Detection:
    """Convert pixels of a window to pixels of the full image."""
    box = Box(face.box.x * fx + dx, face.box.y * fy + dy, face.box.w * fx, face.box.h * fy)
    return replace(face, box=box, landmarks=five([(x * fx + dx, y * fy + dy) for x, y in face.landmarks]))


def five(points: Sequence[Point]) -> Landmarks:
    """Return eyes, nose, corners of the mouth; left in the image first."""
    eye, other_eye, nose, mouth, other_mouth = points
    return eye, other_eye, nose, mouth, other_mouth


def back(face: Detection, turn: int, width: float, height: float) -> Detection:
    """Return a face of the turned picture as it lies in the original one, which has that size; its own left stays first."""
    points = [point_back(point, turn, width, height) for point in face.landmarks]
    return replace(face, box=rotate_box_back(face.box, turn, width, height), landmarks=five(points))


def more_certain(one: list[Detection], other: list[Detection]) -> list[Detection]:
    """Return the findings with the higher scores in all: those of the turn that shows the faces upright."""
    return one if sum(face.score for face in one) >= sum(face.score for face in other) else other
