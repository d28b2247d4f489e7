"""Drawn people for the self-test: detectors take them for faces, and they depict no real person."""

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.inference.vision.codecs import Image, Pixels

_FINE = 4  # drawn larger and shrunk, for soft edges
_WIDTH, _HEIGHT = 640, 512
_BACKGROUND = (200, 205, 210)
_HAIR, _LIPS, _SHIRT = (15, 12, 10), (165, 80, 80), (40, 50, 80)
# left, top, side; skin
_GROUP = (
    (10, 20, 200, (205, 160, 130)),
    (215, 40, 150, (140, 100, 75)),
    (370, 10, 250, (228, 190, 165)),
    (20, 290, 120, (176, 130, 100)),
    (180, 260, 220, (215, 172, 140)),
    (440, 300, 170, (120, 84, 62)),
)


def one() -> Image:
    """A picture of one person."""
    return _picture(((180, 100, 300, (205, 160, 130)),))


def group() -> Image:
    """A picture of six."""
    return _picture(_GROUP)


def _picture(people: tuple[tuple[int, int, int, tuple[int, int, int]], ...]) -> Image:
    pixels = np.full((_HEIGHT, _WIDTH, 3), _BACKGROUND, np.uint8)
    for left, top, side, skin in people:
        pixels[top : top + side, left : left + side] = _person(side, skin)
    return Image(pixels, 1.0, _WIDTH, _HEIGHT, "png")


def _person(side: int, skin: tuple[int, int, int]) -> Pixels:
    """Head and shoulders, lit from the left: uint8 [side, side, 3]."""
    canvas = np.full((side * _FINE, side * _FINE, 3), _BACKGROUND, np.uint8)
    shade = (int(skin[0] * 0.82), int(skin[1] * 0.82), int(skin[2] * 0.82))
    for centre, axes, colour in (
        ((0.5, 1.05), (0.42, 0.22), _SHIRT),
        ((0.5, 0.8), (0.13, 0.16), shade),
        ((0.5, 0.42), (0.275, 0.34), _HAIR),
        ((0.265, 0.52), (0.035, 0.07), shade),
        ((0.735, 0.52), (0.035, 0.07), shade),
        ((0.5, 0.5), (0.235, 0.32), skin),
        ((0.48, 0.53), (0.012, 0.06), shade),  # the nose's bridge, wings and holes
        ((0.5, 0.585), (0.045, 0.022), shade),
        ((0.482, 0.592), (0.012, 0.008), (110, 70, 60)),
        ((0.518, 0.592), (0.012, 0.008), (110, 70, 60)),
        ((0.5, 0.695), (0.085, 0.028), _LIPS),
        ((0.5, 0.69), (0.085, 0.008), (110, 50, 50)),
        *(
            part
            for x in (0.405, 0.595)
            for part in (
                ((x, 0.415), (0.068, 0.014), _HAIR),
                ((x, 0.46), (0.052, 0.026), (245, 245, 245)),
                ((x, 0.46), (0.024, 0.025), (60, 40, 30)),
                ((x, 0.46), (0.011, 0.011), (10, 10, 10)),
            )
        ),
    ):
        at, size = _scaled(centre, canvas.shape[0]), _scaled(axes, canvas.shape[0])
        cv2.ellipse(canvas, at, size, 0, 0, 360, colour, -1, cv2.LINE_AA)
    small = cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), side * 0.006)
    y, x = np.mgrid[0:side, 0:side] / side
    light: NDArray[np.float64] = 1.08 - 0.35 * np.abs(x - 0.42) - 0.15 * (y - 0.4)
    return np.clip(soft * light[..., None], 0, 255).astype(np.uint8)


def _scaled(point: tuple[float, float], side: int) -> tuple[int, int]:
    return round(point[0] * side), round(point[1] * side)
