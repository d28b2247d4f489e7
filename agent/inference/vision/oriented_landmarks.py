"""Finds the landmarks of a face in a photo that lies on its side or upside down.

The detector finds such faces, but puts the landmarks of a third of them in wrong places. A second pass then finds no face at the
expected position, and the face is searched in each of the four directions.
"""

import math

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box, Landmarks
from agent.inference.vision.aligner import CHIP_SIDE, MIN_SCORE, TEMPLATE, align, cut_out, refined, similarity
from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detection import Detection, Look, five

# The searched square, relative to the longer side of the face's box; the face's centre is at most this far from its own, of the side.
_AROUND, _OFF_CENTRE = 1.6, 0.2
# Pixels of the template: the root mean square by which upright landmarks may differ from its shape. Profiles reach 5.
_UNLIKE = 6.0


def align_again(look: Look, image: Image, face: Detection) -> tuple[Pixels, Detection]:
    """Return the chip of a face, with refined landmarks; and the face, with other landmarks if it is turned."""
    better = refined(image, face.landmarks, look)
    if better == face.landmarks and (found := _turned(look, image, face.box)) is not None:
        return align(image, refined(image, found, look)), Detection(face.box, face.score, found)
    return align(image, better), face


def _turned(look: Look, image: Image, box: Box) -> Landmarks | None:
    """Return the landmarks by the best upright detection in the four directions, in pixels of the full image."""
    best, landmarks = MIN_SCORE, None
    for quarters in range(4):
        matrix = _square(image, box, quarters)
        for face in look(np.ascontiguousarray(cut_out(image, matrix))[None], best):
            if face.score > best and _is_upright(face):
                points = (np.array(face.landmarks) - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T / image.scale
                best, landmarks = face.score, five([(float(x), float(y)) for x, y in points])
    return landmarks


def _square(image: Image, box: Box, quarters: int) -> NDArray[np.float64]:
    """Return the [2, 3] matrix that maps decoded pixels around the face, turned, to a square of a chip's size."""
    x, y = (box.x + box.w / 2) * image.scale, (box.y + box.h / 2) * image.scale
    half = _AROUND / 2 * max(box.w, box.h) * image.scale
    angle = quarters * math.pi / 2
    middle = CHIP_SIDE / 2
    return similarity([(x, y), (x + half, y)], [(middle, middle), (middle + middle * math.cos(angle), middle + middle * math.sin(angle))])


def _is_upright(face: Detection) -> bool:
    """Return whether it is in the middle, the eyes above the mouth, and the landmarks are arranged as a face's."""
    points = np.array(face.landmarks)
    centre = np.array([face.box.x + face.box.w / 2, face.box.y + face.box.h / 2])
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    matrix = similarity(face.landmarks, TEMPLATE)
    apart = points @ matrix[:, :2].T + matrix[:, 2] - np.array(TEMPLATE)
    return bool(
        np.abs(centre - CHIP_SIDE / 2).max() <= _OFF_CENTRE * CHIP_SIDE
        and down[1] > abs(down[0])
        and math.sqrt(float(np.mean(np.sum(apart**2, axis=1)))) <= _UNLIKE
    )
