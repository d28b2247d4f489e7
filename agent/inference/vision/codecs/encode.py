"""Creates small pictures: resizing, and JPEG for thumbnails, previews and chips."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from agent.domain.errors import ImageCorrupt
from agent.domain.face import Box
from agent.inference.vision.codecs.decode import decode
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Image, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes

_COVER: Final = (96, 96, 96)


def encode_preview(data: FileBytes, limits: DecodeLimits, side: int, hidden: Sequence[Box] = ()) -> bytes:
    """Return the upright image as JPEG, its longer side at most `side` pixels. Raises what `decode` raises.

    What is in the boxes of `hidden`, in fractions of the image, is covered.
    """
    image = decode(data, limits, side)
    if hidden:
        image = replace(image, pixels=_covered(image.pixels, hidden))
    return encode_small(image, side)


def _covered(pixels: Pixels, hidden: Sequence[Box]) -> Pixels:
    height, width = pixels.shape[:2]
    covered = pixels.copy()
    for box in hidden:
        left, top = max(0, math.floor(box.x * width)), max(0, math.floor(box.y * height))
        right, bottom = max(0, math.ceil((box.x + box.w) * width)), max(0, math.ceil((box.y + box.h) * height))
        covered[top:bottom, left:right] = _COVER
    return covered


def encode_small(image: Image, side: int) -> bytes:
    """Return a JPEG in sRGB, the longer side at most `side` pixels."""
    pixels = image.pixels
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    if ratio < 1:
        pixels = resize(pixels, max(1, round(width * ratio)), max(1, round(height * ratio)))
    return encode_jpeg(image.shown(pixels), quality=85)


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageCorrupt
    return encoded.tobytes()


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Shrink with all pixels contributing, which keeps small faces from aliasing; enlarge by cubic interpolation.

    Averaging over areas of any size takes ten times as long as averaging whole blocks, or as linear interpolation down to half the
    size, which looks the same (measured). Of blocks, those of two by two are the fastest by far.
    """
    rows, columns = pixels.shape[:2]
    while min(columns / width, rows / height) >= 2 and rows % 2 == columns % 2 == 0:
        rows, columns = rows // 2, columns // 2
        pixels = np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    block = int(min(columns / width, rows / height))
    if block > 1 and rows % block == columns % block == 0:
        rows, columns = rows // block, columns // block
        pixels = np.asarray(cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)
    if (rows, columns) == (height, width):
        return pixels
    if width * height >= rows * columns:
        way = cv2.INTER_CUBIC
    else:
        way = cv2.INTER_LINEAR if max(columns / width, rows / height) < 2 else cv2.INTER_AREA
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=way), np.uint8)
