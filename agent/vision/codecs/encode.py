"""Pixels to small pictures: resizing, and JPEG as thumbnails, previews and chips."""

import cv2
import numpy as np

from agent.domain.errors import ImageCorrupt
from agent.vision.codecs.decode import decode
from agent.vision.codecs.image import Limits, Pixels


def encode_preview(data: bytes, limits: Limits, side: int) -> bytes:
    """The upright image as JPEG, its longer side at most `side` pixels. Raises what `decode` raises."""
    return encode_small(decode(data, limits, side).pixels, side)


def encode_small(pixels: Pixels, side: int) -> bytes:
    """JPEG, the longer side at most `side` pixels."""
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    if ratio < 1:
        pixels = resize(pixels, max(1, round(width * ratio)), max(1, round(height * ratio)))
    return encode_jpeg(pixels, quality=85)


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageCorrupt
    return encoded.tobytes()


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Smaller by area, which keeps small faces from aliasing; larger by cubic interpolation."""
    if pixels.shape[:2] == (height, width):
        return pixels
    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)
