"""Draws a smiling face by formula: at any size, without a font or a picture file."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_YELLOW: Final = (1.0, 0.80, 0.20)
_RIM: Final = (0.88, 0.62, 0.08)
_DARK: Final = (0.25, 0.16, 0.05)
_SOFT: Final = 0.04  # transition width between colours, in halves of a side


def colours(u: Floats, v: Floats) -> Floats:
    """Return RGB from 0 to 1, [..., 3], at coordinates from -1 to 1 across and down. Outside, the rim's colour continues."""
    drawn = np.empty((*u.shape, 3), np.float32)
    drawn[:] = _YELLOW
    _paint(drawn, np.hypot(u, v) - 0.93, _RIM)
    for side in (-0.34, 0.34):
        _paint(drawn, 1 - np.hypot((u - side) / 0.11, (v + 0.25) / 0.18), _DARK, below=True, soft=0.2)
    mouth = 0.06 - np.abs(np.hypot(u, v - 0.05) - 0.55)
    _paint(drawn, np.minimum(mouth, v - 0.22), _DARK, below=True)
    return drawn


def _paint(
    drawn: Floats, inside: NDArray[np.floating], colour: tuple[float, float, float], *, below: bool = False, soft: float = _SOFT
) -> None:
    """Paint where `inside` is above 0; fully at `soft`, or already at 0 unless `below`."""
    weight = np.clip(inside / soft + (0.0 if below else 1.0), 0, 1)[..., None]
    drawn += weight * (np.array(colour, np.float32) - drawn)
