"""Finds faces at a resolution that what was found asks for; and CenterFace, the net that does it by default."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks, Point
from agent.vision.codecs import Image, Pixels, resize

Floats: TypeAlias = NDArray[np.float32]
# uint8 [1, height, width, 3] RGB -> heat [1,1,h,w], scale [1,2,h,w], offset [1,2,h,w], landmarks [1,10,h,w]: h, w a fourth of the input's.
DetectorNet: TypeAlias = Callable[[NDArray[np.uint8]], Sequence[Floats]]

# One look of a net: uint8 [1, height, width, 3] RGB, padded, and the least score -> faces in its pixels, best first.
Look: TypeAlias = Callable[[NDArray[np.uint8], float], "list[Detection]"]

# Gives the image with a longer side of at least so many pixels, as far as the file has them.
Decoder: TypeAlias = Callable[[int], Image]

RECIPE = "centerface-1"
OUTPUTS = ("537", "538", "539", "540")
STRIDE = 4
NMS_IOU = 0.3
# No crowd that was measured came near this; a picture made to give more may not keep the engine busy.
MAX_CANDIDATES = 4000
# All measured, in pixels of what the net is given. Faces are found from about 16 pixels of height on; from 12 on they leave hints of
# CenterFace's score at least, where photos without small faces leave none.
HINT_SCORE = 0.15
HINT_SIZE = 20.0
HINT_HEIGHT = 12
# Larger faces are placed best by the coarser look; a finer one only adds small ones.
LARGE_FACE = 32.0

FIRST_SIDE = 640
# A face this high in the full image should leave a hint, as far as one more look, at no more than this side, allows.
WORTH_FINDING = 28
# A 12-megapixel JPEG decoded to a fourth is enough for it.
SECOND_SIDE = 1000
# The net's memory grows with its input (1 GB at 2560): a still finer look is taken in overlapping tiles.
TILE = 1280
OVERLAP = 160
FINEST_SIDE = 2 * TILE - OVERLAP
# A face that fills the picture is too large for the net at the first look.
COARSE_SIDE = 320
# Only where small images left hints is it worth while to enlarge them.
ENLARGE = {TILE: 2.0}


@dataclass(frozen=True, slots=True)
class Detection:
    """A face that was found: box and landmarks in pixels of the upright image at full size."""

    box: Box
    score: float
    landmarks: Landmarks


class Detector:
    """Looks again, finer, where small faces left hints or could not, and coarser when nothing was found."""

    def __init__(self, look: Look, hint_score: float) -> None:
        self._net = look
        self._hint_score = hint_score

    def __call__(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """Faces of at least `min_score`, best first."""
        kept: list[Detection] = []
        side: int | None = FIRST_SIDE
        ratio = 0.0
        while side is not None:
            found, finer_ratio, longest = self._look(decoder, side, min_score)
            if finer_ratio <= ratio:
                break  # there are no more pixels
            large = [face for face in kept if _size(face) * ratio >= LARGE_FACE]
            kept = suppress([*large, *_sure(found, min_score), *kept], NMS_IOU)
            ratio = finer_ratio
            side = next_side(side, longest, hints=any(_size(face) * ratio < HINT_SIZE for face in found))
        if not kept:
            kept = _sure(self._look(decoder, COARSE_SIDE, min_score)[0], min_score)
        return sorted(kept, key=lambda face: -face.score)

    def _look(self, decoder: Decoder, side: int, min_score: float) -> tuple[list[Detection], float, int]:
        """Everything down to mere hints, the ratio of the pixels looked at to the full image's, and the full image's longer side."""
        image = decoder(side)
        longest = max(image.width, image.height)
        ratio = min(ENLARGE.get(side, 1.0), side / longest)
        width, height = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
        pixels = resize(image.pixels, width, height)
        # The two axes are rounded to whole pixels each, so each has its own way back.
        back = (image.width / width, image.height / height)
        found = [
            _scaled(face, left, top, *back)
            for top, bottom, at_top, at_bottom in spans(height)
            for left, right, at_left, at_right in spans(width)
            for face in suppress(self._net(padded(pixels[top:bottom, left:right]), min(min_score, self._hint_score)), NMS_IOU)
            if _whole(face.box, right - left, bottom - top, (at_left, at_top, at_right, at_bottom))
        ]
        return suppress(sorted(found, key=lambda face: -face.score), NMS_IOU), ratio, longest


class CenterFace(Detector):
    """The thorough detector."""

    def __init__(self, net: DetectorNet) -> None:
        super().__init__(lambda canvas, min_score: decode(net(canvas), min_score), HINT_SCORE)


def next_side(side: int, longest: int, *, hints: bool) -> int | None:
    """To which longer side to bring the image for the next look after one at `side`; None when there is nothing more to find.

    >>> next_side(640, 1200, hints=False), next_side(640, 4000, hints=False), next_side(640, 1200, hints=True)
    (None, 1000, 1280)
    """
    if hints:
        return next((finer for finer in (TILE, FINEST_SIDE) if finer > side), None)
    needed = longest * HINT_HEIGHT // WORTH_FINDING
    return min(SECOND_SIDE, -(-needed // 256) * 256) if FIRST_SIDE == side < needed else None


def spans(length: int) -> list[tuple[int, int, bool, bool]]:
    """Cuts a side into overlapping stretches that the net can take: (start, end, starts at the image's edge, ends at it).

    >>> spans(1000)
    [(0, 1000, True, True)]
    >>> spans(2400)
    [(0, 1280, True, False), (1120, 2400, False, True)]
    """
    count = max(1, -(-(length - OVERLAP) // (TILE - OVERLAP)))
    starts = [round(i * (length - TILE) / (count - 1)) for i in range(count)] if count > 1 else [0]
    return [(start, min(length, start + TILE), start == 0, start + TILE >= length) for start in starts]


def padded(pixels: Pixels) -> NDArray[np.uint8]:
    """The image in the top left of a black canvas of one of few sizes, so that the engine's memory does not grow with every new shape."""
    height, width = pixels.shape[:2]
    step = 128 if max(height, width) <= FIRST_SIDE else 256
    canvas = np.zeros((1, -(-height // step) * step, -(-width // step) * step, 3), np.uint8)
    canvas[0, :height, :width] = pixels
    return canvas


def decode(maps: Sequence[Floats], min_score: float) -> list[Detection]:
    """Faces from the net's four maps, in pixels of its input, best first, not yet suppressed."""
    heat, scale, offset, landmarks = maps
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
            five([(float(x), float(y)) for x, y in zip(xs[i], ys[i], strict=True)]),
        )
        for i in np.argsort(-scores, kind="stable")[:MAX_CANDIDATES]
    ]


def suppress(found: Sequence[Detection], max_iou: float) -> list[Detection]:
    """Of detections that overlap by more than `max_iou`, only the first; so sort them best first."""
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


def _whole(box: Box, width: int, height: int, at_edge: tuple[bool, bool, bool, bool]) -> bool:
    """Whether a face is not cut by an inner edge of its tile: the tile beside shows it whole."""
    at_left, at_top, at_right, at_bottom = at_edge
    inside_x = (at_left or box.x > 0) and (at_right or box.x + box.w < width)
    inside_y = (at_top or box.y > 0) and (at_bottom or box.y + box.h < height)
    return inside_x and inside_y


def _scaled(face: Detection, left: int, top: int, fx: float, fy: float) -> Detection:
    """From pixels of a tile to pixels of the full image."""
    box = Box((face.box.x + left) * fx, (face.box.y + top) * fy, face.box.w * fx, face.box.h * fy)
    return replace(face, box=box, landmarks=five([((x + left) * fx, (y + top) * fy) for x, y in face.landmarks]))


def five(points: Sequence[Point]) -> Landmarks:
    """Eyes, nose, corners of the mouth; left in the image first."""
    eye, other_eye, nose, mouth, other_mouth = points
    return eye, other_eye, nose, mouth, other_mouth
