"""Crops faces, rotated and scaled so that their landmarks are where recognition nets expect them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Landmarks
from agent.inference.vision.codecs import Image, Pixels, resize
from agent.inference.vision.detection import NMS_IOU, Look, five, suppress

# The standard positions of the five points in a 112x112 face.
TEMPLATE: Landmarks = ((38.29, 51.70), (73.53, 51.50), (56.03, 71.74), (41.55, 92.37), (70.73, 92.20))
FACE_SIDE = 112
# Chips have this margin on every side, so that another aligner or embedder can process them without the original.
MARGIN = 24
CHIP_SIDE = FACE_SIDE + 2 * MARGIN
# Distance between the eyes in the template: an image decoded more finely adds no detail to a chip.
EYE_DISTANCE = 35.24


def similarity(source: Sequence[tuple[float, float]], target: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Return the rotation, scale and translation, as [2, 3] matrix, that maps `source` to `target` by least squares."""
    # With complex numbers the map is w = a*z + b, and a is a plain one-dimensional regression.
    z = np.array([complex(x, y) for x, y in source])
    w = np.array([complex(x, y) for x, y in target])
    z_mean, w_mean = z.mean(), w.mean()
    spread = float(np.sum(np.abs(z - z_mean) ** 2))
    a = np.sum(np.conj(z - z_mean) * (w - w_mean)) / max(spread, 1e-12)
    b = w_mean - a * z_mean
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def placement(image: Image, landmarks: Landmarks) -> NDArray[np.float64]:
    """Return the [2, 3] matrix that maps decoded pixels of the image to the chip."""
    points = [(x * image.scale, y * image.scale) for x, y in landmarks]
    return similarity(points, [(x + MARGIN, y + MARGIN) for x, y in TEMPLATE])


def align(image: Image, landmarks: Landmarks) -> Pixels:
    """Return the chip of one face: uint8 [160, 160, 3] RGB; its middle 112x112 is the aligned face. Pixels outside the image are black."""
    return cut_out(image, placement(image, landmarks))


def cut_out(image: Image, matrix: NDArray[np.float64]) -> Pixels:
    """Return the square of a chip's size that a [2, 3] matrix maps decoded pixels to."""
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    pixels, origin, factor = image.pixels, (0, 0), 1
    if 0 < scale < 0.5:
        # Sampling a large face directly would alias: first shrink its surroundings by area.
        factor = int(1 / scale)
        pixels, origin = _shrunk_surroundings(image.pixels, matrix, factor)
    # A source pixel p became (p - origin) / factor; pixel centres are at +0.5.
    shift = 0.5 * factor - 0.5
    inner = matrix.copy()
    inner[:, 2] += matrix[:, :2] @ np.array([origin[0] + shift, origin[1] + shift])
    inner[:, :2] *= factor
    return np.asarray(cv2.warpAffine(pixels, inner, (CHIP_SIDE, CHIP_SIDE), flags=cv2.INTER_LINEAR), np.uint8)


def face_of(chip: Pixels) -> Pixels:
    """Return the aligned face in the middle of a chip: uint8 [112, 112, 3]."""
    return chip[MARGIN : MARGIN + FACE_SIDE, MARGIN : MARGIN + FACE_SIDE]


def _shrunk_surroundings(pixels: Pixels, matrix: NDArray[np.float64], factor: int) -> tuple[Pixels, tuple[int, int]]:
    """Return the part of the image that the chip shows, shrunk by a whole factor, and its left top corner in the image."""
    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [CHIP_SIDE, 0], [0, CHIP_SIDE], [CHIP_SIDE, CHIP_SIDE]], np.float64)
    seen = (corners - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    left, top = (max(0, int(edge) - 2 * factor) for edge in seen.min(axis=0))
    # Whole blocks only, so that every shrunk pixel stands for `factor` x `factor` source pixels.
    columns = max(1, (min(width, int(seen[:, 0].max()) + 2 * factor) - left) // factor)
    rows = max(1, (min(height, int(seen[:, 1].max()) + 2 * factor) - top) // factor)
    part = pixels[top : top + rows * factor, left : left + columns * factor]
    return (resize(part, columns, rows) if part.size else np.zeros((1, 1, 3), np.uint8)), (left, top)


# -- Refines a face's five landmarks: the detector runs again on the aligned crop, and on its mirror image -------------------------
# A face fills the chip, so this is enough to find it; another face's points never come within half the eye distance of the template.
MIN_SCORE = 0.2
FARTHEST = EYE_DISTANCE / 2
_EXPECTED = np.array(TEMPLATE) + MARGIN


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
