"""What a file is, is told by its first bytes."""

import struct
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest

from agent.inference.vision.codecs import DecodeLimits, decode, sniff

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
Encode = Callable[..., bytes]


def box(major: bytes, *others: bytes) -> bytes:
    brands = b"".join(others)
    return struct.pack(">L", 16 + len(brands)) + b"ftyp" + major + bytes(4) + brands + bytes(100)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (box(b"heic", b"mif1"), "heic"),
        (box(b"mif1", b"mif1", b"heic"), "heic"),
        (box(b"mif1", b"avif", b"miaf"), "avif"),
        (box(b"avis", b"msf1"), "avif"),
        (box(b"msf1", b"hevc"), "heic"),
        (box(b"mif1", b"jpeg"), None),
        (box(b"crx ", b"isom"), "raw"),
        (box(b"isom", b"heic"), None),  # a film
        (box(b"qt  "), None),
        (b"\xff\xff\xff\xffftypmif1" + b"heic" * 100, "heic"),
        (b"FUJIFILMCCD-RAW 0201", "raw"),
        (b"IIU\0\x18\0\0\0", "raw"),
        (b"\xff\xd8", "jpeg"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"%PDF-1.7", None),
        (b"B", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_format(data: bytes, name: str | None) -> None:
    assert sniff(data) == name


def test_a_large_tiff_is_a_tiff(encoded: Encode) -> None:
    data = encoded(np.full((40, 60, 3), (10, 200, 30), np.uint8), "TIFF", big_tiff=True)
    assert data[2] == 43
    assert sniff(data) == "tiff"
    assert decode(data, LIMITS).pixels[5, 5].tolist() == [10, 200, 30]


def test_a_way_of_writing_pixels_that_nobody_knows_is_not_supported(encoded: Encode) -> None:
    data = encoded(PIL.Image.new("RGB", (40, 40)), "TIFF")
    strange = data.replace(struct.pack("<HHLHH", 262, 3, 1, 2, 0), struct.pack("<HHLHH", 262, 3, 1, 4711, 0))
    assert strange != data
    with pytest.raises(Exception) as caught:
        decode(strange, LIMITS)
    assert getattr(caught.value, "code", "") == "image.unsupported"
