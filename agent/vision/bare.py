"""Colours without what is transparent: a face that shines through faintly is found in them, by us and by others."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.vision.codecs import Image, Limits, Pixels, others
from agent.vision.codecs.decode import named
from agent.vision.copies.canvas import Canvas, open_canvas
from agent.vision.detector import Detection

_FORMATS: Final = frozenset({"png", "webp", "avif", "tiff", "bmp"})  # a GIF's pixels are seen or not
# Of 255: beyond it a face is found as it is seen.
_FAINT: Final = 160
_FEWEST: Final = 64  # pixels: soft edges have fewer than any face
_SAME: Final = 0.3  # of the smaller box


def bare_image(data: bytes, limits: Limits) -> Image | None:
    """The first picture; None if nothing of it is faint. Raises ImageError."""

    def read(name: str) -> Image | None:
        if name not in _FORMATS or not others.open_checked(data, name, limits).has_transparency_data:
            return None
        canvas, _ = open_canvas(data, name, limits)
        pixels = bare(canvas)
        return None if pixels is None else Image(pixels, 1.0, canvas.width, canvas.height, name)

    return named(data, limits, read)


def bare(canvas: Canvas) -> Pixels | None:
    """RGB of eight bits, but for what goes into no copy; None if nothing is faint."""
    if canvas.alpha is None:
        return None
    most = np.iinfo(canvas.alpha.dtype).max
    if int(((canvas.alpha > 0) & (canvas.alpha < most * _FAINT // 255)).sum()) < _FEWEST:
        return None
    colours = canvas.ordered("RGB")
    shallow = (colours >> 8).astype(np.uint8) if canvas.deep else colours
    return np.asarray(shallow if shallow.shape[2] == 3 else shallow.repeat(3, axis=2), np.uint8)


def joined(found: Sequence[Detection], more: Sequence[Detection]) -> list[Detection]:
    """Both, without those of `more` that are found already."""
    return [*found, *(face for face in more if all(_shared(face, other) < _SAME for other in found))]


def _shared(one: Detection, other: Detection) -> float:
    """The part of the smaller box that both have."""
    return one.box.intersection(other.box) / max(1e-9, min(one.box.area, other.box.area))
