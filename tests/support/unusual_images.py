"""Files laid out as few programs lay them out, made by hand: no library at hand writes them, and some read them wrongly."""

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[Any]
Order: TypeAlias = Literal["<", ">"]

_SHORT, _LONG = 3, 4  # kinds of a TIFF's values
_RGB, _INKS = 2, 5  # what the numbers of a TIFF mean
_RAW, _DEFLATE = 1, 8


def tiff(
    planes: Pixels, photometric: int, *, rows_in_strip: int = 16, packed: bool = False, order: Order = "<", big: bool = False
) -> bytes:
    """`planes` [count, height, width], each in strips of its own, of as many bits as its numbers have."""
    count, height, width = planes.shape
    bits = planes.dtype.itemsize * 8
    strips = [
        plane[top : top + rows_in_strip].astype(planes.dtype.newbyteorder(order)).tobytes()
        for plane in planes
        for top in range(0, height, rows_in_strip)
    ]
    if packed:
        strips = [zlib.compress(strip) for strip in strips]
    entries = {
        256: (_LONG, [width]),
        257: (_LONG, [height]),
        258: (_SHORT, [bits] * count),
        259: (_SHORT, [_DEFLATE if packed else _RAW]),
        262: (_SHORT, [photometric]),
        273: (_LONG, [0] * len(strips)),
        277: (_SHORT, [count]),
        278: (_LONG, [rows_in_strip]),
        279: (_LONG, [len(strip) for strip in strips]),
        284: (_SHORT, [2]),
    }
    start = 16 if big else 8
    places = [start + sum(map(len, strips[:number])) for number in range(len(strips))]
    entries[273] = (_LONG, places)
    at = start + sum(map(len, strips))
    at += at % 2
    body = b"".join(strips)
    return _head(order, at, big=big) + body.ljust(at - start, b"\0") + _directory(entries, at, order, big=big)


def _head(order: str, first: int, *, big: bool) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    return mark + (struct.pack(order + "HHHQ", 43, 8, 0, first) if big else struct.pack(order + "HL", 42, first))


def _directory(entries: Mapping[int, tuple[int, list[int]]], at: int, order: str, *, big: bool) -> bytes:
    count, size, inline, number = ("Q", 20, 8, "Q") if big else ("H", 12, 4, "L")
    behind = at + struct.calcsize(order + count) + size * len(entries) + struct.calcsize(order + number)
    table, values = struct.pack(order + count, len(entries)), b""
    for tag, (kind, numbers) in sorted(entries.items()):
        value = struct.pack(order + ("H" if kind == _SHORT else "L") * len(numbers), *numbers)
        if len(value) > inline:
            place = struct.pack(order + number, behind + len(values))
            values += value + bytes(len(value) % 2)
        else:
            place = value.ljust(inline, b"\0")
        table += struct.pack(order + "HH" + number, tag, kind, len(numbers)) + place
    return table + struct.pack(order + number, 0) + values


def bmp(pixels: Pixels, masks: tuple[int, int, int, int], bits: int) -> bytes:
    """RGBA [height, width, 4] in words of 16 or 32 bits, each channel where its mask says."""
    height, width = pixels.shape[:2]
    words = np.zeros((height, width), np.uint32)
    for channel, mask in enumerate(masks):
        if mask:
            low = (mask & -mask).bit_length() - 1
            words |= (pixels[:, :, channel].astype(np.uint32) * (mask >> low) // 255) << low
    rows = [row.astype("<u2" if bits == 16 else "<u4").tobytes() for row in words[::-1]]
    body = b"".join(row.ljust(-(-len(row) // 4) * 4, b"\0") for row in rows)
    head = struct.pack("<LllHHLLllLL4L", 56, width, height, 1, bits, 3, len(body), 2835, 2835, 0, 0, *masks)
    return b"BM" + struct.pack("<LHHL", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body


Make: TypeAlias = Callable[[Pixels], bytes]


def _deep(pixels: Pixels) -> Pixels:
    return pixels.astype(np.uint16).transpose(2, 0, 1) * 257


def _inks(pixels: Pixels) -> Pixels:
    """As a printer without black would have them."""
    return np.concatenate([_deep(255 - pixels), np.zeros((1, *pixels.shape[:2]), np.uint16)])


def _opaque(pixels: Pixels) -> Pixels:
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


# Name -> the file of an RGB picture.
ODD: Mapping[str, Make] = {
    "tiff-planes-deep": lambda pixels: tiff(_deep(pixels), _RGB),
    "tiff-planes-deep-motorola": lambda pixels: tiff(_deep(pixels), _RGB, order=">"),
    "tiff-planes-deep-packed": lambda pixels: tiff(_deep(pixels), _RGB, packed=True),
    "tiff-planes-inks": lambda pixels: tiff(_inks(pixels), _INKS),
    "tiff-planes": lambda pixels: tiff(pixels.transpose(2, 0, 1), _RGB),
    "bigtiff": lambda pixels: tiff(pixels.transpose(2, 0, 1), _RGB, big=True),
    "bigtiff-motorola": lambda pixels: tiff(pixels.transpose(2, 0, 1), _RGB, order=">", big=True),
    "bmp-4444": lambda pixels: bmp(_opaque(pixels), (0xF00, 0xF0, 0xF, 0xF000), 16),
    "bmp-red-last": lambda pixels: bmp(_opaque(pixels), (0xFF, 0xFF00, 0xFF0000, 0), 32),
    "bmp-ten-bits": lambda pixels: bmp(_opaque(pixels), (0x3FF00000, 0xFFC00, 0x3FF, 0), 32),
}
