"""Encodes GIF with palettes that preserve uncovered pixels."""

import io
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.domain.redaction import Cover
from agent.inference.vision.codecs import Pixels
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redactor import Mask, covered

_MOST: Final = 256


def encode_still(canvas: Canvas, covers: Sequence[Cover], comment: str) -> bytes:
    """Encode one picture with eight bits, RGB or grey. The canvas then has the colours that its covers could get."""
    colours = canvas.ordered("RGB")
    canvas.colours = colours if colours.shape[2] == 3 else colours.repeat(3, axis=2)
    mask = covered(covers, canvas.width, canvas.height)
    picture = indexed(np.asarray(canvas.colours, np.uint8), canvas.alpha, mask)
    if covers:
        canvas.colours[mask] = np.asarray(picture.convert("RGB"))[mask]
    out = io.BytesIO()
    picture.save(out, "GIF", optimize=False, **({"comment": comment} if comment else {}))
    return out.getvalue()


def indexed(rgb: Pixels, alpha: NDArray[Any] | None, mask: Mask) -> PIL.Image.Image:
    """Reduce to at most 256 colours. If there are more, those of the covers are reduced first."""
    clear = None if alpha is None else alpha < 128
    most = _MOST - (clear is not None and bool(clear.any()))
    packed = (rgb.astype(np.uint32) * np.array([1 << 16, 1 << 8, 1], np.uint32)).sum(axis=2, dtype=np.uint32)
    if clear is not None:
        packed[clear] = packed[~clear][0] if not clear.all() else 0
    outside = np.unique(packed[~mask]) if not mask.all() else np.empty(0, np.uint32)
    if len(outside) > most:  # superimposed frames have separate palettes
        return _quantised(rgb, clear, most)
    if mask.any() and len(np.unique(packed)) > most:
        packed[mask] = _fewer(rgb[mask], outside, most - len(outside))
    palette, places = np.unique(packed, return_inverse=True)
    return _picture(places.reshape(mask.shape).astype(np.uint8), _unpacked(palette), clear)


def _fewer(colours: NDArray[np.uint8], outside: NDArray[np.uint32], room: int) -> NDArray[np.uint32]:
    """Map the colours of covers to as many of their own as fit, or to existing ones."""
    row = PIL.Image.fromarray(colours[None])
    if room > 0:
        few = row.quantize(room, dither=PIL.Image.Dither.NONE)
    else:
        there = PIL.Image.new("P", (1, 1))
        there.putpalette(_unpacked(outside).tobytes())
        few = row.quantize(palette=there, dither=PIL.Image.Dither.NONE)
    found = np.asarray(few.convert("RGB"))[0].astype(np.uint32)
    return np.asarray((found[:, 0] << 16) | (found[:, 1] << 8) | found[:, 2], np.uint32)


def _quantised(rgb: Pixels, clear: Mask | None, most: int) -> PIL.Image.Image:
    few = PIL.Image.fromarray(rgb).quantize(most, dither=PIL.Image.Dither.NONE)
    palette = np.array(few.getpalette() or [], np.uint8).reshape(-1, 3)[:most]
    return _picture(np.asarray(few).copy(), palette, clear)


def _picture(places: NDArray[np.uint8], palette: NDArray[np.uint8], clear: Mask | None) -> PIL.Image.Image:
    if clear is not None and clear.any():
        places[clear] = len(palette)
        palette = np.vstack([palette, np.zeros((1, 3), np.uint8)])
    picture = PIL.Image.fromarray(places, "P")
    picture.putpalette(palette.tobytes())
    if clear is not None and clear.any():
        picture.info["transparency"] = len(palette) - 1
    return picture


def _unpacked(colours: NDArray[np.uint32]) -> NDArray[np.uint8]:
    return np.stack([colours >> 16 & 255, colours >> 8 & 255, colours & 255], axis=1).astype(np.uint8)
