"""Decodes a large picture in bands of rows: Pillow decodes a whole one to four bytes per pixel, 800 MB for 200 megapixels.

A band is decoded by the same decoder as a whole picture. Layouts that can't be cut are left to it whole.
"""

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from agent.inference.vision.codecs import png
from agent.inference.vision.codecs.decoded_image import Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes

Bands: TypeAlias = Iterator[PIL.Image.Image]
OpenBand: TypeAlias = Callable[[bytes], PIL.Image.Image]

_ROWS: Final = 256  # in a band
_MOST: Final = 64_000_000  # bytes of a band's file
_PIECE: Final = 1 << 20  # bytes of a PNG's compressed picture at a time


def bands(opened: PIL.Image.Image, data: FileBytes, name: str, open_band: OpenBand) -> Bands | None:
    """Return the bands of a picture that is not loaded, from top to bottom; None if it must be decoded whole.

    They have the picture's mode, without its palette. `open_band` opens a small file. They raise any error of the decoder.
    """
    cut = _cut(opened, data, name, open_band)
    return None if cut is None else (_with_info(band, opened) for band in cut)


def shrunk(parts: Iterable[Pixels], width: int, height: int, factor: int) -> Pixels:
    """Return the picture of that size, put together from RGB bands, its size divided by `factor`: each pixel is a block's mean."""
    out = np.empty((-(-height // factor), -(-width // factor), 3), np.uint8)
    at, left = 0, np.empty((0, width, 3), np.uint8)
    for part in parts:
        rows = np.concatenate([left, part]) if len(left) else part
        whole = len(rows) // factor * factor
        if whole:
            out[at : at + whole // factor] = _means(rows[:whole], factor)
        at, left = at + whole // factor, rows[whole:]
    if len(left):
        out[at:] = _means(cv2.copyMakeBorder(left, 0, factor - len(left), 0, 0, cv2.BORDER_REPLICATE), factor)
    return out


def _means(rows: NDArray[Any], factor: int) -> Pixels:
    if factor == 1:
        return np.asarray(rows, np.uint8)
    if extra := -rows.shape[1] % factor:
        rows = np.asarray(cv2.copyMakeBorder(rows, 0, 0, 0, extra, cv2.BORDER_REPLICATE), np.uint8)
    size = rows.shape[1] // factor, rows.shape[0] // factor
    return np.asarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA), np.uint8)


def _with_info(band: PIL.Image.Image, opened: PIL.Image.Image) -> PIL.Image.Image:
    """Give a band the picture's transparent colour."""
    band.info = opened.info
    return band


def _cut(opened: PIL.Image.Image, data: FileBytes, name: str, open_band: OpenBand) -> Bands | None:
    tiles: Sequence[Any] = getattr(opened, "tile", ())
    if opened.mode in ("I", "F", "P", "PA") or not tiles:  # the brightest number sets the scale; a palette takes a byte per pixel
        return None
    if name == "png":
        return _png(opened, data)
    if name == "bmp" and opened.mode == "RGBA":
        return None  # whether it is opaque shows at its end
    if name in ("bmp", "tiff") and all(tile[0] == "raw" for tile in tiles) and not _turned(opened):
        return _raw(opened, data, tiles)
    return _packed(opened, data, open_band) if name == "tiff" and not _turned(opened) else None


# -- Uncompressed: rows are where the decoder would read them ----------------------------------------------------------------------
def _raw(opened: PIL.Image.Image, data: FileBytes, tiles: Sequence[Any]) -> Bands | None:
    tags = getattr(opened, "tag_v2", {})
    bits, count = tags.get(_BITS, (1,)), tags.get(_SAMPLES, 1)
    packed = -(-opened.width * (sum(bits) if len(bits) == count else bits[0] * count) // 8)  # bytes of a TIFF's row
    below, strips = 0, []
    for _, (left, top, right, bottom), offset, (mode, stride, way) in tiles:
        if (left, right, top) != (0, opened.width, below):
            return None
        below = bottom
        strips.append((top, bottom, offset, mode, stride or packed, way))
    return _raw_bands(opened, data, strips) if below == opened.height else None


def _raw_bands(opened: PIL.Image.Image, data: FileBytes, strips: Sequence[tuple[int, int, int, str, int, int]]) -> Bands:
    for top, bottom, offset, mode, stride, way in strips:
        for first in range(top, bottom, _ROWS):
            last = min(bottom, first + _ROWS)
            at = offset + stride * (first - top if way > 0 else bottom - last)
            rows = data[at : at + stride * (last - first)]
            if len(rows) < stride * (last - first):
                raise EOFError("truncated")
            yield PIL.Image.frombytes(opened.mode, (opened.width, last - first), rows, "raw", mode, stride, way)


# -- PNG: a row may depend on the one above it, so a band's file begins with the last row of the one before -------------------------
_CHANNELS: Final = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}
_BLOCK: Final = 65_535  # bytes at most, of a stored block


def _png(opened: PIL.Image.Image, data: FileBytes) -> Bands | None:
    one_by_one = opened.info.get("interlace") or getattr(opened, "is_animated", False)
    if data[24] != 8 or opened.mode not in _CHANNELS or one_by_one or _says_more_later(data):
        return None
    return _png_bands(opened, data)


def _png_bands(opened: PIL.Image.Image, data: FileBytes) -> Bands:
    size = 1 + opened.width * _CHANNELS[opened.mode]
    lines = _Lines(data)
    before = b""
    for first in range(0, opened.height, _ROWS):
        rows = min(_ROWS, opened.height - first)
        extra = 1 if before else 0
        packed = _stored((b"\0" + before if before else b"") + lines.read(size * rows))
        band = PIL.Image.frombytes(opened.mode, (opened.width, rows + extra), packed, "zip", opened.mode)
        before = band.crop((0, rows + extra - 1, opened.width, rows + extra)).tobytes()
        yield band.crop((0, extra, opened.width, rows + extra))


def _stored(data: bytes) -> bytes:
    """Return it in zlib's format, uncompressed."""
    whole, size = memoryview(data), len(data)
    parts: list[bytes | memoryview] = [b"\x78\x01"]
    for at in range(0, size, _BLOCK):
        part = whole[at : at + _BLOCK]
        parts += (struct.pack("<BHH", at + _BLOCK >= size, len(part), len(part) ^ 0xFFFF), part)
    return b"".join((*parts, struct.pack(">L", zlib.adler32(data))))


def _says_more_later(data: FileBytes) -> bool:
    """Return whether metadata with an orientation may follow the picture: it is read after that was loaded."""
    found = False
    for kind, begin, _ in png.chunks(data):
        found = found or kind == b"IDAT"
        if found and (kind in (b"eXIf", b"iTXt") or (kind in (b"tEXt", b"zTXt") and data.startswith(b"Raw profile", begin))):
            return True
    return False


class _Lines:
    """Unpacks the filtered rows of a PNG."""

    def __init__(self, data: FileBytes) -> None:
        self._pieces = (
            data[at : min(end, at + _PIECE)] for kind, begin, end in png.chunks(data) if kind == b"IDAT" for at in range(begin, end, _PIECE)
        )
        self._unpacker = zlib.decompressobj()

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes. Raises EOFError, zlib.error."""
        found = bytearray()
        while len(found) < size:
            piece = self._unpacker.unconsumed_tail or next(self._pieces, b"")
            if not piece:
                raise EOFError("truncated")
            found += self._unpacker.decompress(piece, size - len(found))
        return bytes(found)


# -- TIFF: compressed strips are independent of each other -------------------------------------------------------------------------
_HEIGHT, _BITS, _ORIENTATION, _OFFSETS, _SAMPLES, _ROWS_PER_STRIP, _COUNTS, _PLANAR, _TILE = 257, 258, 274, 273, 277, 278, 279, 284, 322
_LONG: Final = 4  # the type of an offset
# What a decoder needs: size, coding and colours.
_NEEDED: Final = (256, 258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 338, 339, 347, 529, 530, 531, 532)


def _turned(opened: PIL.Image.Image) -> bool:
    """Return whether the decoder turns the picture when it is complete."""
    return getattr(opened, "tag_v2", {}).get(_ORIENTATION, 1) not in (0, 1)


def _packed(opened: PIL.Image.Image, data: FileBytes, open_band: OpenBand) -> Bands | None:
    tags = getattr(opened, "tag_v2", {})
    offsets, counts, rows = tags.get(_OFFSETS, ()), tags.get(_COUNTS, ()), tags.get(_ROWS_PER_STRIP, opened.height)
    at_once = max(1, _ROWS // max(1, rows))
    if (
        _TILE in tags
        or tags.get(_PLANAR, 1) != 1
        or rows <= 0
        or not len(offsets) == len(counts) == -(-opened.height // rows)
        or max(rows * opened.width * len(opened.getbands()), at_once * max(counts)) > _MOST
    ):
        return None
    return (open_band(each) for each in _strips(opened, data, at_once))


def _strips(opened: PIL.Image.Image, data: FileBytes, at_once: int) -> Iterator[bytes]:
    """Yield a file for each band: a header, the directory and the strips, whose places its writer counts from the directory's end."""
    tags: Any = opened.tag_v2  # type: ignore[attr-defined]  # of TIFFs alone
    head = b"II*\0\x08\0\0\0" if tags.prefix == b"II" else b"MM\0*\0\0\0\x08"
    rows = tags.get(_ROWS_PER_STRIP, opened.height)
    for first in range(0, len(tags[_OFFSETS]), at_once):
        places = zip(tags[_OFFSETS][first : first + at_once], tags[_COUNTS][first : first + at_once], strict=True)
        strips = [data[at : at + count] for at, count in places]
        directory = ImageFileDirectory_v2(head)
        for tag in _NEEDED:
            if tag in tags:
                directory.tagtype[tag] = tags.tagtype[tag]
                directory[tag] = tags[tag]
        new = {
            _HEIGHT: min(opened.height - first * rows, len(strips) * rows),
            _ROWS_PER_STRIP: rows,
            _OFFSETS: tuple(sum(map(len, strips[:number])) for number in range(len(strips))),
            _COUNTS: tuple(map(len, strips)),
        }
        for tag, value in new.items():
            directory.tagtype[tag] = _LONG
            directory[tag] = value
        yield head + directory.tobytes(len(head)) + b"".join(strips)
