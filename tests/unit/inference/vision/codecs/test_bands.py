"""A large picture is decoded in bands to what its decoder makes of it whole, and a layout that can't be cut is left whole."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from agent.domain.errors import ImageCorrupt, ImageTruncated
from agent.inference.vision.codecs import DecodeLimits, bands, decode, pillow
from tests.support.unusual_images import tiff

LIMITS = DecodeLimits(10, 10)
WIDTH, HEIGHT = 61, 83


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands of a few rows, of every picture; of a reduced one a longer side of at least 20 pixels."""
    monkeypatch.setattr(bands, "_ROWS", 10)
    monkeypatch.setattr(pillow, "LARGE", 0)
    monkeypatch.setattr(pillow, "_FINE", 20)


def numbers(channels: int, depth: type = np.uint8) -> NDArray[Any]:
    """Smooth in parts and noisy in others, so that a PNG's encoder uses every filter."""
    chance = np.random.default_rng(5)
    ramp = np.add.outer(np.arange(HEIGHT) * 2, np.arange(WIDTH) * 3)[:, :, None] + np.arange(channels) * 17
    noise = chance.integers(0, np.linspace(1, 200, HEIGHT).astype(int)[:, None, None], (HEIGHT, WIDTH, channels))
    made = (ramp + noise) * (257 if depth is np.uint16 else 1)
    return made.astype(depth).squeeze()


def saved(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    made = numbers(len(mode) if mode.isalpha() and mode != "CMYK" else 4 if mode == "CMYK" else 1, np.uint16 if "16" in mode else np.uint8)
    out = io.BytesIO()
    PIL.Image.frombytes(mode, (WIDTH, HEIGHT), made.tobytes()).save(out, kind, **options)
    return out.getvalue()


def clear_colour() -> bytes:
    return saved("PNG", transparency=tuple(int(each) for each in numbers(3)[0, 0]))


def late_words() -> bytes:
    data = saved("PNG")
    return data[:-12] + b"\0\0\0\x04tEXta\0bc\x3a\x6f\xca\x9c" + data[-12:]


def top_down() -> bytes:
    data = bytearray(saved("BMP"))
    data[22:26] = struct.pack("<l", -HEIGHT)
    return bytes(data)


PACKED = (("RGB", "tiff_lzw"), ("RGBA", "tiff_adobe_deflate"), ("RGB", "jpeg"), ("I;16", "tiff_lzw"), ("CMYK", "packbits"))
CUT: dict[str, Callable[[], bytes]] = {
    **{f"png {mode}": partial(saved, "PNG", mode) for mode in ("L", "LA", "RGB", "RGBA")},
    "png with a transparent colour": clear_colour,
    "png with words behind its picture": late_words,
    "bmp": partial(saved, "BMP"),
    "bmp from the top": top_down,
    **{f"tiff {mode}": partial(saved, "TIFF", mode) for mode in ("L", "RGB", "RGBA", "CMYK", "I;16")},
    **{f"tiff in strips of {rows}": partial(saved, "TIFF", tiffinfo={278: rows}, compression="raw") for rows in (1, 7, 64)},
    **{
        f"tiff {mode} {packed} {rows}": partial(saved, "TIFF", mode, compression=packed, tiffinfo={278: rows})
        for mode, packed in PACKED
        for rows in (8, 24)
    },
    "tiff with a predictor": partial(saved, "TIFF", compression="tiff_lzw", tiffinfo={278: 8, 317: 2}),
}
WHOLE: dict[str, Callable[[], bytes]] = {
    "interlaced png": lambda: interlaced(),
    "deep png": lambda: cv2.imencode(".png", numbers(3, np.uint16))[1].tobytes(),
    "palette": lambda: saved("GIF", "L"),
    "turned tiff": lambda: saved("TIFF", tiffinfo={274: 6}),
    "tiff of planes": lambda: tiff(np.ascontiguousarray(np.moveaxis(numbers(3), 2, 0)), 2),
}


def interlaced() -> bytes:
    """Without rows: whether it is cut shows before it is decoded."""
    data = bytearray(saved("PNG"))
    data[28] = 1
    data[29:33] = struct.pack(">L", zlib.crc32(data[12:29]))
    return bytes(data)


def whole(data: bytes, monkeypatch: pytest.MonkeyPatch) -> NDArray[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(pillow, "bands", lambda *_: None)
        return decode(data, LIMITS).pixels


def cut(data: bytes, name: str) -> bool:
    opened = pillow.open_checked(data, name, LIMITS)
    return bands.bands(opened, data, name, lambda file: pillow.open_checked(file, name, LIMITS)) is not None


@pytest.mark.parametrize("name", CUT)
def test_bands_are_what_the_whole_picture_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = CUT[name]()
    assert cut(data, name.split()[0] if name.split()[0] in ("png", "bmp") else "tiff")
    assert np.array_equal(decode(data, LIMITS).pixels, whole(data, monkeypatch))


@pytest.mark.parametrize("name", WHOLE)
def test_a_layout_that_can_not_be_cut_is_left_whole(name: str) -> None:
    assert not cut(WHOLE[name](), "png" if "png" in name else "gif" if name == "palette" else "tiff")


@pytest.mark.parametrize("name", ["png RGB", "bmp", "tiff RGB", "tiff RGB tiff_lzw 8"])
def test_a_reduced_picture_has_the_means_of_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = CUT[name]()
    image = decode(data, LIMITS, 20)
    assert (image.width, image.height, image.scale, image.pixels.shape) == (WIDTH, HEIGHT, 1 / 4, (21, 16, 3))
    full = whole(data, monkeypatch)
    for row, column in ((0, 0), (7, 9), (19, 14)):
        block = full[4 * row : 4 * row + 4, 4 * column : 4 * column + 4].reshape(-1, 3)
        assert np.abs(block.mean(0) - image.pixels[row, column]).max() <= 0.5
    assert decode(data, LIMITS, 21).pixels.shape == (28, 21, 3)


@pytest.mark.parametrize("name", ["png RGB", "bmp", "tiff RGB"])
def test_a_file_that_ends_too_early_is_called_truncated(name: str) -> None:
    data = CUT[name]()
    with pytest.raises(ImageTruncated):
        decode(data[: len(data) * 2 // 3] if name == "png RGB" or name == "bmp" else data[:-400], LIMITS)


def test_a_png_whose_packed_rows_are_damaged_is_called_corrupt() -> None:
    data = bytearray(CUT["png RGB"]())
    at = data.index(b"IDAT") + 40
    data[at : at + 30] = bytes(30)
    with pytest.raises(ImageCorrupt):
        decode(bytes(data), LIMITS)
