"""Detects faces in several passes at suitable resolutions."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks, Point
from agent.vision.codecs import Image, resize
from agent.vision.tiles import Area, grid, padded, surroundings, windows

Floats: TypeAlias = NDArray[np.float32]
# uint8 [1, height, width, 3] RGB -> the detector's outputs, in their order.
DetectorNet: TypeAlias = Callable[[NDArray[np.uint8]], Sequence[Floats]]

# One pass of a net, as `Detector.look`: uint8 [1, height, width, 3] RGB, padded, and the minimum score -> faces in its pixels, best first.
Look: TypeAlias = Callable[[NDArray[np.uint8], float], "list[Detection]"]

# Returns the image with a longer side of at least this many pixels, if the file has them.
Decoder: TypeAlias = Callable[[int], Image]

NMS_IOU = 0.3
# No measured crowd came near this; a picture made to exceed it must not keep the engine busy.
MAX_CANDIDATES = 4000
# All measured, in pixels of the net's input. Faces are found from about this height on; from 12 on they leave hints of at least
# the detector's `hint_score`, where photos without small faces leave none.
FOUND_SIZE = 16.0
HINT_SIZE = 20.0
HINT_HEIGHT = 12
# The coarser pass locates larger faces best; a finer one only adds small ones.
LARGE_FACE = 32.0

FIRST_SIDE = 640
# A face this high in the full image should leave a hint, if one more pass of at most this side can show it.
WORTH_FINDING = 28
# A 12-megapixel JPEG decoded to a quarter is enough for it.
SECOND_SIDE = 1000
# A face that fills the picture is too large for the net in the first pass.
COARSE_SIDE = 320
# Around hints of small faces, a closer pass enlarges the surroundings so that the smallest face has this size,
CLOSE_SIZE = 24.0
# limited so that the whole image would have at most this side, which also limits enlarging a small image, and to a factor of two.
CLOSEST_SIDE, ENLARGED_SIDE, ENLARGED = 2000, 1280, 2.0
# If a missed face would be shown, the whole picture is searched, and this score counts. Measured on labelled groups and
# collages: no face missed from 20 pixels on in pictures of up to 2048, and nearly all other detections were unlabelled people.
THOROUGH_SCORE, THOROUGH_FACE = 0.25, 12.0
# A face of 20 pixels is found reliably when it is slightly enlarged.
THOROUGH_RATIO, THOROUGH_UP_TO = 1.25, 2048
# For larger pictures, this side is covered by two windows of 1024 pixels; hints are followed up to the other one.
THOROUGH_SIDE, THOROUGH_CLOSEST = 1888, 4000


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected face: box and landmarks in pixels of the upright image at full size."""

    box: Box
    score: float
    landmarks: Landmarks


class Detector(ABC):
    """Makes another, finer pass where small faces left hints or could not, and a coarser one if nothing was found."""

    recipe: ClassVar[str]  # as the manifest and each analysis name it
    outputs: ClassVar[tuple[str, ...]]  # of the net
    blue_first: ClassVar[bool]  # whether the net was trained on BGR
    hint_score: ClassVar[float]

    def __init__(self, net: DetectorNet) -> None:
        self._net = net

    @abstractmethod
    def look(self, canvas: NDArray[np.uint8], min_score: float) -> "list[Detection]":
        """Make one pass: uint8 [1, height, width, 3] RGB, padded -> faces in its pixels, best first, not yet suppressed."""

    def __call__(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """Return faces of at least `min_score`, best first."""
        image = decoder(FIRST_SIDE)
        longest = max(image.width, image.height)
        kept: list[Detection] = []
        hints: list[Detection] = []
        ratio = 0.0
        for side in whole_sides(longest):
            finer = min(1.0, side / longest)
            found = self._look(decoder(side), finer, None, min_score)
            kept = _finer(kept, ratio, _sure(found, min_score))
            ratio = finer
            hints = [face for face in found if _size(face) * ratio < HINT_SIZE]
        if hints and (closer := close_ratio(longest, min(map(_size, hints)))) > ratio:
            image = decoder(math.ceil(longest * min(1.0, closer)))
            found = self._look(image, closer, [surroundings(face.box) for face in hints], min_score)
            kept = _finer(kept, ratio, _sure(found, min_score))
        if not kept:
            kept = _sure(self._look(image, min(1.0, COARSE_SIDE / longest), None, min_score), min_score)
        return sorted(kept, key=lambda face: -face.score)

    def once(self, decoder: Decoder, min_score: float, least: float) -> list[Detection]:
        """Detect in one pass, as coarse as faces of `least` pixels allow, and in a coarser one if there is nothing."""
        image = decoder(FIRST_SIDE)
        ratio = min(1.0, FOUND_SIZE / least)
        found = _sure(self._look(image, ratio, None, min_score), min_score)
        if not found and (coarse := COARSE_SIDE / max(image.width, image.height)) < ratio:
            found = _sure(self._look(image, coarse, None, min_score), min_score)
        return found

    def thorough(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """Detect so that no face is missed, at the cost of time and false detections."""
        image = decoder(THOROUGH_SIDE)
        longest = max(image.width, image.height)
        least = min(min_score, THOROUGH_SCORE)
        enlarged = max(THOROUGH_RATIO, min(ENLARGED, THOROUGH_SIDE / longest))
        finest = enlarged if longest <= THOROUGH_UP_TO else THOROUGH_SIDE / longest
        kept: list[Detection] = []
        found: list[Detection] = []
        ratio = 0.0
        for finer in sorted({min(finest, side / longest) for side in (COARSE_SIDE, FIRST_SIDE)} | {finest}):
            found = self._look(image, finer, None, least)
            kept = _finer(kept, ratio, _sure(found, least))
            ratio = finer
        hints = [face for face in found if _size(face) * ratio < HINT_SIZE]
        closer = min(1.0, THOROUGH_CLOSEST / longest, CLOSE_SIZE / max(1.0, min(map(_size, hints), default=math.inf)))
        if closer > ratio:
            image = decoder(math.ceil(longest * closer))
            found = self._look(image, closer, [surroundings(face.box) for face in hints], least)
            kept = _finer(kept, ratio, _sure(found, least))
        return sorted(kept, key=lambda face: -face.score)

    def _look(self, image: Image, ratio: float, around: Sequence[Box] | None, min_score: float) -> list[Detection]:
        """Return all detections down to hints in the whole image scaled to `ratio` of its full size, or only around some boxes."""
        width, height = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        areas = grid(width, height) if around is None else windows([box.scaled(ratio) for box in around], width, height)
        found = [face for area in areas for face in self._window(image, area, width, height, min(min_score, self.hint_score))]
        return suppress(sorted(found, key=lambda face: -face.score), NMS_IOU)

    def _window(self, image: Image, area: Area, width: int, height: int, min_score: float) -> list[Detection]:
        """Return the detections in a part of the image, whose whole is `width` by `height` pixels."""
        left, top, right, bottom = area
        rows, columns = image.pixels.shape[:2]
        # The part in whole decoded pixels, and the size of one net pixel in the full image.
        x0, y0 = left * columns // width, top * rows // height
        x1, y1 = -(-right * columns // width), -(-bottom * rows // height)
        pixels = resize(image.pixels[y0:y1, x0:x1], right - left, bottom - top)
        fx, fy = (x1 - x0) / (right - left) * image.width / columns, (y1 - y0) / (bottom - top) * image.height / rows
        dx, dy = x0 * image.width / columns, y0 * image.height / rows
        cut = (left > 0, top > 0, right < width, bottom < height)
        return [
            _scaled(face, fx, fy, dx, dy)
            for face in suppress(self.look(padded(pixels), min_score), NMS_IOU)
            if _whole(face.box, right - left, bottom - top, cut)
        ]


def whole_sides(longest: int) -> tuple[int, ...]:
    """Return the longer sides to which the whole image is scaled, one after the other.

    >>> whole_sides(1200), whole_sides(4000)
    ((640,), (640, 1000))
    """
    needed = longest * HINT_HEIGHT // WORTH_FINDING
    return (FIRST_SIDE, min(SECOND_SIDE, -(-needed // 256) * 256)) if needed > FIRST_SIDE else (FIRST_SIDE,)


def close_ratio(longest: int, smallest: float) -> float:
    """Return the scale for the surroundings of hints, the smallest of which has that size in the full image."""
    most = max(min(1.0, CLOSEST_SIDE / longest), min(ENLARGED, ENLARGED_SIDE / longest))
    return min(most, CLOSE_SIZE / max(smallest, 1.0))


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


def _sure(found: Sequence[Detection], min_score: float) -> list[Detection]:
    return [face for face in found if face.score >= min_score]


def _size(face: Detection) -> float:
    return min(face.box.w, face.box.h)


def _finer(kept: Sequence[Detection], ratio: float, found: Sequence[Detection]) -> list[Detection]:
    """Merge the detections of two passes, the first of which was at `ratio`."""
    large = [face for face in kept if _size(face) * ratio >= LARGE_FACE]
    return suppress([*large, *found, *kept], NMS_IOU)


def _whole(box: Box, width: int, height: int, cut: tuple[bool, bool, bool, bool]) -> bool:
    """Return whether no inner side of its window cuts the face: otherwise another window shows it whole."""
    left, top, right, bottom = cut
    inside_x = (not left or box.x > 0) and (not right or box.x + box.w < width)
    inside_y = (not top or box.y > 0) and (not bottom or box.y + box.h < height)
    return inside_x and inside_y


def _scaled(face: Detection, fx: float, fy: float, dx: float, dy: float) -> Detection:
    """Convert pixels of a window to pixels of the full image."""
    box = Box(face.box.x * fx + dx, face.box.y * fy + dy, face.box.w * fx, face.box.h * fy)
    return replace(face, box=box, landmarks=five([(x * fx + dx, y * fy + dy) for x, y in face.landmarks]))


def five(points: Sequence[Point]) -> Landmarks:
    """Return eyes, nose, corners of the mouth; left in the image first."""
    eye, other_eye, nose, mouth, other_mouth = points
    return eye, other_eye, nose, mouth, other_mouth
