"""Broken files: whatever was done to the bytes, decoding gives an image or names what is wrong."""

import io
from functools import cache

import numpy as np
import PIL.Image
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.domain.errors import ImageError
from agent.inference.vision.codecs import DecodeLimits, decode

LIMITS = DecodeLimits(megapixels=1, megabytes=1)


@cache
def original(kind: str) -> bytes:
    pixels = np.random.default_rng(7).integers(0, 255, (40, 56, 3), np.uint8)
    out = io.BytesIO()
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    PIL.Image.fromarray(pixels).save(out, kind, exif=exif)
    return out.getvalue()


@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"]),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    st.floats(0, 1),
    st.binary(max_size=10),
)
@settings(max_examples=150)
def test_broken_files_never_surprise(kind: str, changes: list[tuple[float, int]], share: float, more: bytes) -> None:
    data = bytearray(original(kind))
    for place, value in changes:
        data[int(place * len(data))] = value
    cut = bytes(data[: round(share * len(data))] if share < 0.5 else data) + more
    try:
        image = decode(cut, LIMITS, 20)
    except ImageError:
        return
    assert image.pixels.dtype == np.uint8
    assert image.pixels.ndim == 3 and image.pixels.shape[2] == 3
    height, width = image.pixels.shape[:2]
    assert abs(width - image.width * image.scale) <= 1 and abs(height - image.height * image.scale) <= 1
