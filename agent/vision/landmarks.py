"""Refines a face's five landmarks: the detector runs again on the aligned crop, and on its mirror image.

In a photo the detector sees a face at any size and rotation; its points then have an error of a tenth of the distance between the eyes.
A second pass on the chip takes nearly as long as the embedding, and is the most effective step that was measured, see docs/decisions/0011.
"""

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Landmarks
from agent.vision.aligner import CHIP_SIDE, EYE_DISTANCE, MARGIN, TEMPLATE, align, placement
from agent.vision.codecs import Image, Pixels
from agent.vision.detector import NMS_IOU, Look, five, suppress

# A face fills the chip, so this is enough to find it; another face's points never come within half the eye distance of the template.
MIN_SCORE = 0.2
FARTHEST = EYE_DISTANCE / 2
_EXPECTED = np.array(TEMPLATE) + MARGIN


def align_again(look: Look, image: Image, landmarks: Landmarks) -> Pixels:
    """Return the chip of one face, as `align` does, with refined points."""
    return align(image, refined(image, landmarks, look))


def refined(image: Image, landmarks: Landmarks, look: Look) -> Landmarks:
    """Return the points, in pixels of the full image, averaged over the two passes; a pass without a face leaves them unchanged."""
    chip = align(image, landmarks)
    seen = [points for points in (_points(chip, look), _mirrored(_points(chip[:, ::-1], look))) if points is not None]
    if not seen:
        return landmarks
    matrix = placement(image, landmarks)
    back = (np.mean(seen, axis=0) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T / image.scale
    return five([(float(x), float(y)) for x, y in back])


def _points(chip: Pixels, look: Look) -> NDArray[np.float64] | None:
    """Return [5, 2] in pixels of the chip, of the face at the expected position."""
    found = [np.array(face.landmarks) for face in suppress(look(np.ascontiguousarray(chip)[None], MIN_SCORE), NMS_IOU)]
    nearest = min(found, key=_off, default=None)
    return nearest if nearest is not None and _off(nearest) <= FARTHEST else None


def _off(points: NDArray[np.float64]) -> float:
    """Return the largest distance of a point from its expected position."""
    return float(np.linalg.norm(points - _EXPECTED, axis=1).max())


def _mirrored(points: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
    """Mirror the points back, swapping left and right."""
    if points is None:
        return None
    return np.column_stack([CHIP_SIDE - 1 - points[:, 0], points[:, 1]])[[1, 0, 2, 4, 3]]
