"""Colours without transparency: nearly transparent faces are visible in them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from agent.inference.vision.codecs import DecodeLimits, Image, Pixels, pillow
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.detection import Detection
from agent.inference.vision.redacted.canvas import Canvas, open_canvas

_FORMATS: Final = frozenset({"png", "webp", "avif", "tiff", "bmp"})  # a GIF's pixels are either visible or not
# Of 255: above it a face is found in the visible picture.
_FAINT: Final = 160
_FEWEST: Final = 64  # pixels: soft edges have fewer than any face
_SAME: Final = 0.3  # of the smaller box


def opaque_image(data: FileBytes, limits: DecodeLimits) -> Image | None:
    """Return the first picture; None if no part of it is nearly transparent. Raises ImageError."""

    def read(name: str) -> Image | None:
        if name not in _FORMATS or not pillow.open_checked(data, name, limits).has_transparency_data:
            return None
        canvas, _ = open_canvas(data, name, limits)
        pixels = without_alpha(canvas)
        return None if pixels is None else Image(pixels, 1.0, canvas.width, canvas.height, name)

    return named(data, limits, read)


def without_alpha(canvas: Canvas) -> Pixels | None:
    """Return RGB with eight bits, except for pixels that no copy contains; None if nothing is nearly transparent."""
    if canvas.alpha is None:
        return None
    most = np.iinfo(canvas.alpha.dtype).max
    if int(((canvas.alpha > 0) & (canvas.alpha < most * _FAINT // 255)).sum()) < _FEWEST:
        return None
    colours = canvas.ordered("RGB")
    shallow = (colours >> 8).astype(np.uint8) if canvas.deep else colours
    return np.asarray(shallow if shallow.shape[2] == 3 else shallow.repeat(3, axis=2), np.uint8)


def joined(found: Sequence[Detection], more: Sequence[Detection]) -> list[Detection]:
    """Return both, without those of `more` that are in `found` already."""
    return [*found, *(face for face in more if all(_shared(face, other) < _SAME for other in found))]


def _shared(one: Detection, other: Detection) -> float:
    """Return the shared fraction of the smaller box."""
    return one.box.intersection(other.box) / max(1e-9, min(one.box.area, other.box.area))
