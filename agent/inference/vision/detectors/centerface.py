"""CenterFace, the thorough detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.detection import Detection, five
from agent.inference.vision.detector import MAX_CANDIDATES, Detector, Floats

STRIDE = 4


class CenterFace(Detector):
    """Its net gives heat [1,1,h,w], scale [1,2,h,w], offset [1,2,h,w] and landmarks [1,10,h,w]; h and w are a quarter of the input's."""

    recipe = "centerface-2"
    outputs = ("537", "538", "539", "540")
    blue_first = False
    hint_score = 0.07

    def look(self, canvas: NDArray[np.uint8], min_score: float) -> list[Detection]:
        return decode(self._net(canvas), min_score)


def decode(maps: Sequence[Floats], min_score: float) -> list[Detection]:
    """Return faces from the net's four maps, in pixels of its input, best first, not yet suppressed."""
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
