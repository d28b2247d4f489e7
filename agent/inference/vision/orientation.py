"""Photos that lie on their side or upside down: recognised by the faces' landmarks, looked at turned, and mapped back."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from agent.domain.face import Box, Landmarks, Point
from agent.inference.vision.codecs import Image

# A turn is the number of counter-clockwise quarter turns that make a picture upright.
TURNS = (1, 2, 3)


def turned(image: Image, turn: int) -> Image:
    """Return the picture after so many counter-clockwise quarter turns."""
    width, height = (image.width, image.height) if turn % 2 == 0 else (image.height, image.width)
    return replace(image, pixels=np.ascontiguousarray(np.rot90(image.pixels, turn)), width=width, height=height)


def point_back(point: Point, turn: int, width: float, height: float) -> Point:
    """Return where a point of the turned picture is in the original one, which has that size.

    >>> point_back((10, 20), 1, 400, 300)
    (380, 10)
    """
    x, y = point
    return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turn % 4]


def rotate_box_back(box: Box, turn: int, width: float, height: float) -> Box:
    """The same for a box."""
    corners = [point_back(corner, turn, width, height) for corner in ((box.x, box.y), (box.x + box.w, box.y + box.h))]
    left, top = (min(corner[axis] for corner in corners) for axis in (0, 1))
    w, h = (box.w, box.h) if turn % 2 == 0 else (box.h, box.w)
    return Box(left, top, w, h)


def turn_of(landmarks: Landmarks) -> int:
    """Return the turn that makes a face upright, from the direction between its eyes and its mouth."""
    eye, other_eye, _, mouth, other_mouth = landmarks
    right = mouth[0] + other_mouth[0] - eye[0] - other_eye[0]
    down = mouth[1] + other_mouth[1] - eye[1] - other_eye[1]
    # A mouth to the right of the eyes needs one clockwise quarter turn, which is three counter-clockwise ones.
    return round(-math.atan2(right, down) / (math.pi / 2)) % 4


def dominant_rotation(faces: Sequence[tuple[float, Landmarks]]) -> int:
    """Return the turn that most faces need, each counted by its score; 0 without faces, and when in doubt."""
    votes = [0.0] * 4
    for score, landmarks in faces:
        votes[turn_of(landmarks)] += score
    best = max(range(4), key=lambda turn: votes[turn])
    return best if votes[best] > sum(votes) / 2 else 0
