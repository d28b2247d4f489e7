"""Images and nets made up for the tests."""

import io
from collections.abc import Callable

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from agent.inference.vision.codecs import Image, Pixels
from tests.support.fast_encoders import QUICK

# Four areas of plain colour, so that turning and mirroring can be told.
RED, GREEN, BLUE, WHITE = (220, 20, 20), (20, 200, 20), (20, 20, 220), (240, 240, 240)


@pytest.fixture
def quarters() -> Pixels:
    """96 wide, 64 high: red and green above, blue and white below."""
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48], pixels[:32, 48:], pixels[32:, :48], pixels[32:, 48:] = RED, GREEN, BLUE, WHITE
    return pixels


@pytest.fixture
def encoded() -> Callable[..., bytes]:
    """Writes pixels (or a Pillow image) in a format, with an EXIF orientation if asked for."""

    always = {"JPEG": {"quality": 95, "subsampling": 0}, **QUICK}

    def encode(pixels: Pixels | PIL.Image.Image, kind: str, orientation: int | None = None, **options: object) -> bytes:
        picture = pixels if isinstance(pixels, PIL.Image.Image) else PIL.Image.fromarray(pixels)
        exif = PIL.Image.Exif()
        if orientation is not None:
            exif[0x0112] = orientation
        out = io.BytesIO()
        picture.save(out, kind, exif=exif, **always.get(kind, {}), **options)
        return out.getvalue()

    return encode


@pytest.fixture
def blob_net() -> Callable[[NDArray[np.uint8]], list[NDArray[np.float32]]]:
    """Stands for the detector's net: white rectangles are faces, sure ones from 11 pixels on, and mere hints below."""

    def net(image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        rows, columns = image.shape[1] // 4, image.shape[2] // 4
        heat, scale, offset = (np.zeros((1, n, rows, columns), np.float32) for n in (1, 2, 2))
        landmarks = np.zeros((1, 10, rows, columns), np.float32)
        outlines, _ = cv2.findContours((image[0, :, :, 0] > 127).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for x, y, w, h in map(cv2.boundingRect, outlines):
            cx, cy = (x + w / 2) / 4 - 0.5, (y + h / 2) / 4 - 0.5
            row, column = min(rows - 1, max(0, round(cy))), min(columns - 1, max(0, round(cx)))
            side = min(w, h)
            heat[0, 0, row, column] = 0.9 if 11 <= side < 400 else 0.3 if side >= 5 else 0.0
            scale[0, :, row, column] = np.log(h / 4), np.log(w / 4)
            offset[0, :, row, column] = cy - row, cx - column
            landmarks[0, :, row, column] = (0.4, 0.3, 0.4, 0.7, 0.6, 0.5, 0.8, 0.35, 0.8, 0.65)
        return [heat, scale, offset, landmarks]

    return net


@pytest.fixture
def whole() -> Callable[[Pixels], Image]:
    """Pixels as an image that was decoded at full size."""

    def make(pixels: Pixels) -> Image:
        return Image(pixels, 1.0, pixels.shape[1], pixels.shape[0], "png")

    return make
