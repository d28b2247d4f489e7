"""Measures a face's quality from the image and its detection alone, without an aligned face."""

import math

import cv2
import numpy as np

from agent.domain.face import Box, Quality
from agent.inference.vision.codecs import Image, Pixels
from agent.inference.vision.detection import Detection

_SIDE = 64
# The height of the nose tip above the plane of the eyes, relative to the distance between them.
_NOSE_DEPTH = 0.5


def quality(image: Image, face: Detection) -> Quality:
    """Return size and angles from the landmarks, sharpness from the pixels in the box."""
    (ax, ay), (bx, by), nose, *_ = face.landmarks
    apart = math.hypot(bx - ax, by - ay)
    return Quality(size=apart, sharpness=sharpness(image, face.box), yaw=yaw((ax, ay), (bx, by), nose), roll=roll((ax, ay), (bx, by)))


def roll(eye: tuple[float, float], other_eye: tuple[float, float]) -> float:
    """Return the head's tilt in degrees; 0 upright, positive clockwise."""
    return math.degrees(math.atan2(other_eye[1] - eye[1], other_eye[0] - eye[0]))


def yaw(eye: tuple[float, float], other_eye: tuple[float, float], nose: tuple[float, float]) -> float:
    """Return the head's turn to the image's right in degrees: the eye distance shrinks by the cosine, the nose shifts by the sine."""
    dx, dy = other_eye[0] - eye[0], other_eye[1] - eye[1]
    apart_squared = dx * dx + dy * dy
    if apart_squared == 0:
        return 0.0
    off = (nose[0] - (eye[0] + other_eye[0]) / 2) * dx + (nose[1] - (eye[1] + other_eye[1]) / 2) * dy
    return math.degrees(math.atan(off / apart_squared / _NOSE_DEPTH))


def sharpness(image: Image, box: Box) -> float:
    """Return the variance of the Laplacian over the box at 64x64 grey pixels; 0 if the box is outside the image."""
    face = _cut(image.pixels, box.scaled(image.scale))
    if face.size == 0:
        return 0.0
    shrinks = min(face.shape[:2]) > _SIDE
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    grey = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return float(np.var(cv2.Laplacian(grey, cv2.CV_32F)))


def _cut(pixels: Pixels, box: Box) -> Pixels:
    height, width = pixels.shape[:2]
    left, right = (min(width, max(0, round(x))) for x in (box.x, box.x + box.w))
    top, bottom = (min(height, max(0, round(y))) for y in (box.y, box.y + box.h))
    return pixels[top:bottom, left:right]
