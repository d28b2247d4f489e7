"""Decodes colours with sixteen bits, of which Pillow keeps eight: with OpenCV, if Pillow sees the same picture."""

from typing import Final

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.vision.codecs.colour import strips
from agent.vision.redactor import Colours

_GREY_PNG: Final = (b"\x00", b"\x04")  # colour types: grey, without alpha and with it
_BITS, _PHOTOMETRIC, _PLANAR, _EXTRA, _SAMPLES = 258, 262, 284, 338, 339  # a TIFF's tags
_RGB, _TOGETHER, _WHOLE_NUMBERS, _UNMULTIPLIED = 2, 1, 1, 2


def sixteen_bit_colours(opened: PIL.Image.Image, data: bytes, name: str) -> tuple[Colours, NDArray[np.uint16] | None] | None:
    """Return colours, blue first, and alpha; None without such a picture, or if the decoders disagree.

    `opened` is loaded. OpenCV takes planes for pixels, and leaves memory uninitialised if a file has less than it expects.
    """
    if not (_is_deep_png(data) if name == "png" else name == "tiff" and _is_deep_tiff(opened)):
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3 or decoded.shape[:2] != (opened.height, opened.width):
        return None
    grey = name == "png" and data[25:26] in _GREY_PNG
    colours = np.ascontiguousarray(decoded[:, :, : 1 if grey else 3]).astype(np.uint16, copy=False)
    if not _agree(colours, opened):
        return None
    return colours, np.ascontiguousarray(decoded[:, :, 3]).astype(np.uint16, copy=False) if decoded.shape[2] == 4 else None


def _is_deep_png(data: bytes) -> bool:
    return data[24:25] == b"\x10"


def _is_deep_tiff(opened: PIL.Image.Image) -> bool:
    tags = getattr(opened, "tag_v2", {})
    return (
        tags.get(_BITS) in ((16,) * 3, (16,) * 4)
        and tags.get(_PHOTOMETRIC) == _RGB
        and tags.get(_PLANAR, _TOGETHER) == _TOGETHER
        and set(tags.get(_SAMPLES, (_WHOLE_NUMBERS,))) == {_WHOLE_NUMBERS}
        and tags.get(_EXTRA, ()) in ((), (_UNMULTIPLIED,))
    )


def _agree(colours: Colours, opened: PIL.Image.Image) -> bool:
    """Return whether the higher eight bits match Pillow's result, in which faces were detected."""
    for rows in strips(opened.width, opened.height):
        strip = np.asarray(opened.crop((0, rows.start, opened.width, min(rows.stop, opened.height))))
        seen = strip.reshape(*strip.shape[:2], -1)[:, :, : colours.shape[2]]
        ours = colours[rows] if seen.dtype == np.uint16 else colours[rows] >> 8
        if not np.array_equal(ours[:, :, ::-1], seen):
            return False
    return True
