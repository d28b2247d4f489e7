"""YuNet, the fast detector: many times faster than the thorough one, weaker on turned faces and on small ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.detection import Detection, five
from agent.inference.vision.detector import MAX_CANDIDATES, Detector, Floats

STRIDES = (8, 16, 32)
# For each stride: class and object score [1, n, 1], box [1, n, 4], points [1, n, 10]; n cells of the image, row by row.
OUTPUTS = tuple(f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES)


class YuNet(Detector):
    """The fast detector."""

    recipe = "yunet-1"
    outputs = OUTPUTS
    blue_first = True
    # Its small faces score lower than the thorough detector's (measured: above this from 14 pixels of height on, below it in photos
    # without any).
    hint_score = 0.1

    def look(self, canvas: NDArray[np.uint8], min_score: float) -> list[Detection]:
        return decode(self._net(canvas), canvas.shape[2], min_score)


def decode(outputs: Sequence[Floats], width: int, min_score: float) -> list[Detection]:
    """Return faces from the net's OUTPUTS, in pixels of its input, best first, not yet suppressed. `width` is the input's."""
    kinds = len(STRIDES)
    found = np.concatenate([_level(outputs[level::kinds], stride, width // stride, min_score) for level, stride in enumerate(STRIDES)])
    return [_detection(row) for row in found[np.argsort(-found[:, 0], kind="stable")[:MAX_CANDIDATES]]]


def _level(outputs: Sequence[Floats], stride: int, columns: int, min_score: float) -> NDArray[np.float64]:
    """Return the faces of one stride: [n, 15], score, box (left, top, width, height), points (x, y)."""
    classes, objects, boxes, points = (output[0].astype(np.float64) for output in outputs)
    # The net's authors take its square root. Without it 0.5 is as reliable as with the thorough detector: up to 0.7 there are
    # hands and clocks.
    scores = np.clip(classes[:, 0], 0, 1) * np.clip(objects[:, 0], 0, 1)
    cells = np.nonzero(scores >= min_score)[0]
    places = np.stack([cells % columns, cells // columns], axis=1)
    sizes = np.exp(boxes[cells, 2:]) * stride
    corners = (places + boxes[cells, :2]) * stride - sizes / 2
    marks = (points[cells].reshape(-1, 5, 2) + places[:, None]) * stride
    return np.concatenate([scores[cells, None], corners, sizes, marks.reshape(-1, 10)], axis=1)


def _detection(row: NDArray[np.float64]) -> Detection:
    score, x, y, w, h, *points = (float(value) for value in row)
    return Detection(Box(x, y, w, h), score, five(list(zip(points[::2], points[1::2], strict=True))))
