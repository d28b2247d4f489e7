"""Finds faces: CenterFace's preparation, decoding and suppression, at a resolution that what was found asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks, Point
from agent.vision.codecs import Image, Pixels, shrink

Floats: TypeAlias = NDArray[np.float32]
# uint8 [1, height, width, 3] RGB -> heat [1,1,h,w], scale [1,2,h,w], offset [1,2,h,w], landmarks [1,10,h,w]: h, w a fourth of the input's.
DetectorNet: TypeAlias = Callable[[NDArray[np.uint8]], Sequence[Floats]]

RECIPE = "centerface-1"
STRIDE = 4
NMS_IOU = 0.3
SIDES = (640, 1280)


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that was found: box and landmarks in pixels of the upright image at full size."""

    box: Box
    score: float
    landmarks: Landmarks


class CenterFace:
    """The detector. Call it with an image and the least score; it looks again at a finer resolution when small faces were found."""

    # Long side that the detector can use at most: decoding finer than this helps it no more.
    side = SIDES[-1]

    def __init__(self, net: DetectorNet) -> None:
        self._net = net

    def __call__(self, image: Image, min_score: float) -> list[Detection]:
        found: list[Detection] = []
        for side in SIDES:
            found, asks_finer = self._look(image, side, min_score)
            if not asks_finer:
                break
        return found

    def _look(self, image: Image, side: int, min_score: float) -> tuple[list[Detection], bool]:
        height, width = image.pixels.shape[:2]
        ratio = min(1.0, side / max(height, width))
        small_width, small_height = max(1, round(width * ratio)), max(1, round(height * ratio))
        pixels = image.pixels if ratio == 1.0 else shrink(image.pixels, small_width, small_height)
        heat, scale, offset, landmarks = self._net(padded(pixels))
        found = decode(heat, scale, offset, landmarks, min(min_score, HINT_SCORE))
        kept = suppress([face for face in found if face.score >= min_score], NMS_IOU)
        asks_finer = ratio < 1.0 and wants_finer(found)
        # The two axes are rounded to whole pixels each, so each has its own ratio.
        to_full = (image.width / small_width, image.height / small_height)
        return [_scaled(face, *to_full) for face in kept], asks_finer


HINT_SCORE = 0.3
SMALL_FACE = 32.0
MANY_FACES = 6


def wants_finer(found: Sequence[Detection]) -> bool:
    """Whether what was found, hints included, says that a look at a finer resolution may find more."""
    return len(found) >= MANY_FACES or any(min(face.box.w, face.box.h) < SMALL_FACE for face in found)


def padded(pixels: Pixels) -> NDArray[np.uint8]:
    """The image in the top left of a black canvas of one of few sizes, so that the engine's memory does not grow with every new shape."""
    height, width = pixels.shape[:2]
    step = 128 if max(height, width) <= SIDES[0] else 256
    canvas = np.zeros((1, -(-height // step) * step, -(-width // step) * step, 3), np.uint8)
    canvas[0, :height, :width] = pixels
    return canvas


def decode(heat: Floats, scale: Floats, offset: Floats, landmarks: Floats, min_score: float) -> list[Detection]:
    """Faces from the net's four maps, in pixels of its input, best first, not yet suppressed."""
    rows, columns = np.nonzero(heat[0, 0] >= min_score)
    scores = heat[0, 0, rows, columns].astype(np.float64)
    heights = np.exp(scale[0, 0, rows, columns].astype(np.float64)) * STRIDE
    widths = np.exp(scale[0, 1, rows, columns].astype(np.float64)) * STRIDE
    lefts = (columns + offset[0, 1, rows, columns] + 0.5) * STRIDE - widths / 2
    tops = (rows + offset[0, 0, rows, columns] + 0.5) * STRIDE - heights / 2
    points = landmarks[0, :, rows, columns].astype(np.float64)  # [n, 10], y before x
    xs = points[:, 1::2] * widths[:, None] + lefts[:, None]
    ys = points[:, 0::2] * heights[:, None] + tops[:, None]
    return [
        Detection(
            Box(float(lefts[i]), float(tops[i]), float(widths[i]), float(heights[i])),
            min(1.0, float(scores[i])),
            _landmarks([(float(x), float(y)) for x, y in zip(xs[i], ys[i], strict=True)]),
        )
        for i in np.argsort(-scores, kind="stable")
    ]


def suppress(found: Sequence[Detection], max_iou: float) -> list[Detection]:
    """Of detections that overlap by more than `max_iou`, only the best; `found` is sorted best first."""
    kept: list[Detection] = []
    for face in found:
        if all(face.box.iou(other.box) <= max_iou for other in kept):
            kept.append(face)
    return kept


def _scaled(face: Detection, fx: float, fy: float) -> Detection:
    box = Box(face.box.x * fx, face.box.y * fy, face.box.w * fx, face.box.h * fy)
    return replace(face, box=box, landmarks=_landmarks([(x * fx, y * fy) for x, y in face.landmarks]))


def _landmarks(points: Sequence[Point]) -> Landmarks:
    eye, other_eye, nose, mouth, other_mouth = points
    return eye, other_eye, nose, mouth, other_mouth
