"""Writes JPEG as fine as its original, with metadata in segments."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np

from agent.domain.errors import ImageCorrupt
from agent.inference.vision.codecs import Pixels, jpeg
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.redacted.kept_metadata import KeptMetadata

_DEFAULT: Final = 92
_SAMPLINGS: Final = {
    (1, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    (2, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    (2, 2): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    (1, 2): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    (4, 1): cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
_EXIF: Final = b"Exif\0\0"
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
LARGEST_PART: Final = 65_533 - len(_XMP)  # bytes per segment
_PROFILE_PART: Final = 65_000


@dataclass(frozen=True, slots=True)
class JpegCoding:
    """The quality of a JPEG, in our encoder's terms. Re-encoding with it loses nothing visible, but is not lossless."""

    luma: int = _DEFAULT
    chroma: int = _DEFAULT
    sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420


def coding_of(data: FileBytes) -> JpegCoding:
    """Return a coding at least as fine as this JPEG's. Raises ImageCorrupt."""
    sums = dict(_tables(data))
    luma = _quality(sums.get(0), 0)
    chroma = luma if 1 not in sums else _quality(sums[1], 1)
    for marker, at, end in jpeg.segments(data, 2, strict=False):
        if marker in jpeg.FRAMES and end - at >= 15 and data[at + 5] == 3:
            # Three bytes for each component: the luma's factors, by the chroma's.
            y, u = data[at + 7], data[at + 10]
            across, down = (y >> 4) / max(1, u >> 4), (y & 15) / max(1, u & 15)
            return JpegCoding(luma, chroma, _SAMPLINGS.get((int(across), int(down)), cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444))
        if marker == jpeg.SCAN:
            break
    return JpegCoding(luma, chroma)


def _tables(data: FileBytes) -> Iterator[tuple[int, int]]:
    """Yield numbers of the quantisation tables, and the sums of their values: smaller is finer."""
    for marker, at, end in jpeg.segments(data, 2, strict=False):
        if marker == jpeg.SCAN:
            return
        while marker == 0xDB and at < end:
            wide, number = data[at] >> 4, data[at] & 15
            size = 128 if wide else 64
            body = data[at + 1 : min(end, at + 1 + size)]
            if len(body) == size:
                yield number, sum(struct.unpack(">64H", body) if wide else body)
            at += 1 + size


def _quality(of_table: int | None, number: int) -> int:
    """Return the lowest of our qualities whose table is as fine."""
    if of_table is None:
        return _DEFAULT
    return next((quality for quality in range(10, 101) if _sums(quality)[number] <= of_table), 100)


@cache
def _sums(quality: int) -> tuple[int, int]:
    """Return the sums of our encoder's own tables."""
    _, encoded = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    sums = dict(_tables(encoded.tobytes()))
    return sums[0], sums[1]


def encode(pixels: Pixels, coding: JpegCoding, kept: KeptMetadata) -> bytes:
    """Encode `pixels` [height, width, 1 or 3], blue first."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        coding.luma,
        cv2.IMWRITE_JPEG_LUMA_QUALITY,
        coding.luma,
        cv2.IMWRITE_JPEG_CHROMA_QUALITY,
        coding.chroma,
        *([cv2.IMWRITE_JPEG_SAMPLING_FACTOR, coding.sampling] if pixels.shape[2] == 3 else []),
    ]
    done, encoded = cv2.imencode(".jpg", pixels, options)
    if not done:
        raise ImageCorrupt
    data = encoded.tobytes()
    head = 4 + int.from_bytes(data[4:6], "big") if data.startswith(b"\xff\xe0", 2) else 2  # JFIF's segment comes first
    whole = memoryview(data)
    return b"".join((whole[:head], *_segments(kept), whole[head:]))


def _segments(kept: KeptMetadata) -> Iterator[bytes]:
    if kept.exif:
        yield _segment(0xE1, _EXIF + kept.exif)
    if kept.xmp:
        yield _segment(0xE1, _XMP + kept.xmp)
    count = -(-len(kept.profile) // _PROFILE_PART)
    for number in range(count):
        part = kept.profile[number * _PROFILE_PART : (number + 1) * _PROFILE_PART]
        yield _segment(0xE2, jpeg.ICC + bytes([number + 1, count]) + part)
    if kept.comment:
        yield _segment(0xFE, kept.comment.encode())


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
