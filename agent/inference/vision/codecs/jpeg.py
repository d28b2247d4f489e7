"""JPEG: the header, read without a decoder, and decoding at an eighth, a quarter, half or the whole of its size."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from agent.domain.errors import ImageCorrupt, ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs import pillow
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.codecs.tiff import Exif, oriented, read_exif

# libjpeg skips the high frequencies at no cost: half the size is five times faster than the whole (measured).
# The names say grey, but only the size is taken from these flags: OpenCV has no others for RGB.
_REDUCTIONS: Final = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    (1, 0),
)
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_COMMON: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})  # not lossless or hierarchical: no viewer shows them
_NO_SEGMENT: Final = frozenset({0x00, 0x01, 0xFF, *range(0xD0, 0xD8)})  # padding, and markers without content
SCAN: Final = 0xDA
END: Final = b"\xff\xd9"
ICC: Final = b"ICC_PROFILE\0"
XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_PROFILE_PARTS: Final = 64  # 4 MB


@dataclass(frozen=True, slots=True)
class Header:
    """The data before the pixels."""

    width: int
    height: int
    components: int
    common: bool  # a coding that decoders support
    end: int  # the end of the picture's end marker; 0 if it has none
    exif: Exif
    profile: bytes  # ICC; empty if missing


def read_header(data: FileBytes, start: int = 0, *, strict: bool = False) -> Header:
    """Return the header of the JPEG at `start`. Raises ImageTruncated or ImageCorrupt; if `strict` also for bytes between segments.

    Thumbnails inside the metadata have their own sizes and end markers, so those segments are skipped.
    """
    frame: bytes | None = None
    common, exif, profile, packet = False, Exif(), dict[int, bytes](), b""
    for marker, body, following in segments(data, start + 2, strict=strict):
        if marker == SCAN:
            if frame is None:
                raise ImageCorrupt
            bits, height, width, components = struct.unpack(">BHHB", frame)
            # Coded pixels never form an end marker by chance. Usually it is the last one; in a raw file the first one counts.
            end = len(data) if data.endswith(END) and not strict else data.find(END, following) + 2
            parts = b"".join(profile[number] for number in sorted(profile))
            return Header(width, height, components, common and bits == 8, end if end > 1 else 0, oriented(exif, packet), parts)
        if marker in FRAMES and frame is None and following - body >= 6:
            frame, common = data[body : body + 6], marker in _COMMON
        elif marker == 0xE1 and exif == Exif() and data.startswith(b"Exif\0\0", body):
            exif = read_exif(data[body + 6 : following])
        elif marker == 0xE1 and not packet and data.startswith(XMP, body):
            packet = data[body:following]
        elif marker == 0xE2 and data.startswith(ICC, body) and len(profile) < _PROFILE_PARTS:
            part = data[body + len(ICC) : following]
            profile.setdefault(part[0] if part else 0, part[2:])
    raise ImageTruncated


def segments(data: FileBytes, at: int, *, strict: bool) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of content; complete segments only, up to the first scan. Raises ImageCorrupt."""
    while 0 <= at <= len(data) - 4:
        marker = data[at + 1]
        if data[at] != 0xFF or marker in _NO_SEGMENT:
            if strict and data[at] != 0xFF:
                raise ImageCorrupt
            at = data.find(b"\xff", at + 1)
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        following = at + 2 + size
        if size < 2 or marker in (0xD8, 0xD9):
            raise ImageCorrupt
        if following > len(data):
            return
        yield marker, at + 4, following
        at = following


def decode(data: FileBytes, header: Header, limits: DecodeLimits, side: int | None) -> tuple[Pixels, float]:
    """Return pixels in the file's orientation, and their scale. Raises ImageTruncated, ImageUnsupported, ImageTooLarge or ImageCorrupt."""
    check(header, limits)
    longer = max(header.width, header.height)
    factor, flag = next((f, flag) for f, flag in _REDUCTIONS if f == 1 or (side is not None and longer / f >= side))
    if header.components == 4:
        return pillow.decode_ink(data, factor, limits), 1 / factor
    return _decoded(data, flag | cv2.IMREAD_COLOR_RGB), 1 / factor


def decode_to_copy(data: FileBytes, header: Header, limits: DecodeLimits) -> Pixels:
    """Return all pixels in the file's orientation, [height, width, 1 or 3], blue first, for re-encoding. Not for inks. Raises as above."""
    check(header, limits)
    limits.make_room(header.width, header.height)
    decoded = _decoded(data, cv2.IMREAD_GRAYSCALE if header.components == 1 else cv2.IMREAD_COLOR_BGR)
    return decoded.reshape(*decoded.shape[:2], -1)


def check(header: Header, limits: DecodeLimits) -> None:
    """Check that it can be decoded. Raises ImageTruncated, ImageUnsupported, ImageTooLarge."""
    limits.check_pixels(header.width, header.height)
    if not header.common:
        raise ImageUnsupported
    if not header.end:
        raise ImageTruncated  # libjpeg would fill the rest with grey without an error


def _decoded(data: FileBytes, flags: int) -> Pixels:
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ImageCorrupt
    return np.asarray(decoded, np.uint8)
