"""Crops faces, rotated and scaled so that their landmarks are where recognition nets expect them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Landmarks
from agent.vision.codecs import Image, Pixels, resize

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
    matrix = placement(image, landmarks)
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
