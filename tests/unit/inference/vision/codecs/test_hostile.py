"""Files made to harm: what they claim is bounded before memory or time is spent on it."""

import io
import re
import struct
import tracemalloc
import zlib
from collections.abc import Callable

import cv2
import PIL.Image
import pytest

from agent.domain.errors import ImageCorrupt, ImageError, ImageTooLarge, ImageUnsupported
from agent.inference.vision.codecs import DecodeLimits, Pixels, decode, pillow, sniff
from agent.inference.vision.codecs.tiff import Exif, read_exif
from tests.support.fast_encoders import QUICK
from tests.support.unusual_images import ODD

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
Encode = Callable[..., bytes]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))


def claiming(kind: str, encoded: Encode) -> bytes:
    """A small file that claims 16,000 by 16,000 pixels."""
    small, side = encoded(PIL.Image.new("RGB", (64, 64)), kind), 16000
    match kind:
        case "PNG":
            return small[:8] + chunk(b"IHDR", struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)) + small[33:]
        case "GIF":
            return small[:6] + struct.pack("<HH", side, side) + small[10:]
        case "BMP":
            return small[:18] + struct.pack("<LL", side, side) + small[26:]
        case "WEBP":
            canvas = bytes(4) + (side - 1).to_bytes(3, "little") * 2
            return small[:4] + struct.pack("<L", len(small) + 10) + b"WEBPVP8X" + struct.pack("<L", 10) + canvas + small[12:]
        case "JPEG":
            at = small.index(b"\xff\xc0") + 5
            return small[:at] + struct.pack(">HH", side, side) + small[at + 4 :]
        case "AVIF" | "HEIF":
            return re.sub(rb"ispe\0{4}.{8}", b"ispe" + struct.pack(">LLL", 0, side, side), small, flags=re.DOTALL)
        case _:
            for tag in (256, 257):
                for value in (struct.pack("<HHLL", tag, 4, 1, 64), struct.pack("<HHLHH", tag, 3, 1, 64, 0)):
                    small = small.replace(value, struct.pack("<HHLL", tag, 4, 1, side))
            return small


@pytest.mark.parametrize("kind", ["PNG", "GIF", "BMP", "WEBP", "JPEG", "TIFF", "AVIF", "HEIF"])
def test_a_small_file_that_claims_many_pixels_takes_no_memory(encoded: Encode, heif_writer: None, kind: str) -> None:
    data = claiming(kind, encoded)
    tracemalloc.start()
    try:
        with pytest.raises(ImageTooLarge) as caught:
            decode(data, LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
    assert caught.value.params == {"megapixels": 256, "limit": 10}


def test_a_frame_larger_than_its_picture_is_counted_too(encoded: Encode) -> None:
    data = encoded(PIL.Image.new("RGB", (40, 40)), "GIF")
    at = data.index(b"\x2c") + 5
    with pytest.raises(ImageTooLarge):
        decode(data[:at] + struct.pack("<HH", 60000, 60000) + data[at + 4 :], LIMITS)


def overlapping(count: int, size: int, *, tags: int = 65000) -> bytes:
    """A TIFF directory whose values all are the same bytes, the directory's own among them."""
    entries = b"".join(struct.pack("<HHLL", 1 + number % tags, 7, size, 8) for number in range(count))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + bytes(60_000 - len(entries))


def test_metadata_that_claims_its_bytes_many_times_is_not_read_into_memory(quarters: Pixels, encoded: Encode) -> None:
    exif = overlapping(400, 60_000)
    jpeg = encoded(quarters, "JPEG")
    data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif[:65000]) + 8) + b"Exif\0\0" + exif[:65000] + jpeg[2:]
    png = encoded(quarters, "PNG")
    large = overlapping(400, 250_000)
    tracemalloc.start()
    try:
        assert decode(data, LIMITS).width == 96
        assert decode(png[:33] + chunk(b"eXIf", large) + png[33:], LIMITS).width == 96
        for hostile in (large, overlapping(400, 250_000, tags=1), overlapping(800, 40_000)):
            with pytest.raises(ImageCorrupt):
                decode(hostile + bytes(1000), LIMITS)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("following", [8, 0xFFFFFFFF, 20])
def test_directories_that_lead_in_circles_or_nowhere_end(following: int) -> None:
    body = struct.pack("<H", 2) + struct.pack("<HHLL", 0x112, 3, 1, 6) + struct.pack("<HHLL", 0x14A, 4, 1, 8) + struct.pack("<L", following)
    data = b"II*\0\x08\0\0\0" + body
    assert read_exif(data) == Exif(6, None)
    assert sniff(data) == "tiff"
    with pytest.raises(ImageError):
        decode(data + bytes(200), LIMITS)


@pytest.fixture(scope="module")
def packed() -> bytes:
    """24 MB of zeros."""
    return zlib.compress(bytes(24_000_000), 1)


@pytest.mark.parametrize("name", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_picture_is_read_though_a_text_beside_it_unpacks_to_much(
    quarters: Pixels, encoded: Encode, upright: Callable[[Pixels], bool], packed: bytes, name: bytes
) -> None:
    body = b"a\0\0" + packed if name != b"iTXt" else b"a\0\1\0\0\0" + packed
    png = encoded(quarters, "PNG")
    tracemalloc.start()
    try:
        assert upright(decode(png[:33] + chunk(name, body) + png[33:], LIMITS).pixels)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_many_frames_the_first_is_shown(quarters: Pixels, upright: Callable[[Pixels], bool], kind: str) -> None:
    out = io.BytesIO()
    frames = [PIL.Image.new("RGB", (96, 64), (number % 256, 0, 0)) for number in range(40)]
    PIL.Image.fromarray(quarters).save(out, kind, save_all=True, append_images=frames)
    assert upright(decode(out.getvalue(), LIMITS).pixels)


def test_what_is_two_things_at_once_is_what_it_begins_as(quarters: Pixels, encoded: Encode, upright: Callable[[Pixels], bool]) -> None:
    jpeg, png, gif = (encoded(quarters, kind) for kind in ("JPEG", "PNG", "GIF"))
    page = b"<html><script>alert(1)</script></html>PK\x03\x04"
    for data, name in ((jpeg + png, "jpeg"), (png + jpeg + page, "png"), (gif + page, "gif")):
        image = decode(data, LIMITS)
        assert image.format == name
        assert upright(image.pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_huge_metadata_is_stepped_over(quarters: Pixels, heif_writer: None, kind: str, upright: Callable[[Pixels], bool]) -> None:
    out = io.BytesIO()
    xmp = b"<x>" + b"a" * (60_000 if kind == "JPEG" else 3_000_000) + b"</x>"
    fine = {"quality": 95, **QUICK.get(kind, {}), **({"chroma": 444} if kind == "HEIF" else {})}
    PIL.Image.fromarray(quarters).save(out, kind, xmp=xmp, **fine)
    assert upright(decode(out.getvalue(), LIMITS).pixels)


def test_a_jpeg_of_another_kind_than_photos_are_is_not_supported(quarters: Pixels, encoded: Encode) -> None:
    data = encoded(quarters, "JPEG")
    at = data.index(b"\xff\xc0")
    with pytest.raises(ImageError) as caught:
        decode(data[: at + 1] + b"\xc3" + data[at + 2 :], LIMITS)
    assert caught.value.code == "image.unsupported"


def test_bytes_between_the_parts_of_a_jpeg_do_no_harm(quarters: Pixels, encoded: Encode, upright: Callable[[Pixels], bool]) -> None:
    data = encoded(quarters, "JPEG")
    at = data.index(b"\xff\xdb")
    assert upright(decode(data[:at] + bytes(7) + b"\xff\xff" + data[at + 1 :], LIMITS).pixels)


@pytest.mark.parametrize("error", [MemoryError(), ValueError("Memory allocation error: exceeds limits"), cv2.error("no memory")])
def test_a_picture_that_the_engine_has_no_memory_for_is_too_large(
    quarters: Pixels, encoded: Encode, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(*_: object) -> object:
        raise error

    if isinstance(error, cv2.error):
        error.code = -4
    monkeypatch.setattr(pillow, "decode", refuse)
    with pytest.raises(ImageTooLarge) as caught:
        decode(encoded(quarters, "PNG"), LIMITS)
    assert not caught.value.params


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bytes_that_lead_farther_than_python_can_look_are_named(order: str) -> None:
    mark = b"II" if order == "<" else b"MM"
    for first in (2**63, 2**64 - 1, 2**32, 17):
        with pytest.raises(ImageError):
            decode(mark + struct.pack(order + "HHHQ", 43, 8, 0, first), LIMITS)
    far = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16) + struct.pack(order + "QHHQQQ", 1, 0x14A, 16, 9, 2**63, 0)
    assert sniff(far) == "tiff"
    with pytest.raises(ImageError):
        decode(far, LIMITS)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_jpeg_without_loss_is_not_said_to_be_damaged(quarters: Pixels, encoded: Encode, bits: int) -> None:
    data = bytearray(encoded(quarters, "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 1], data[at + 4] = 0xC3, bits
    with pytest.raises(ImageUnsupported):
        decode(bytes(data), LIMITS)


def test_kinds_of_bmp_and_tiff_that_nobody_here_reads_are_not_said_to_be_damaged(quarters: Pixels, encoded: Encode) -> None:
    for way, bits in ((4, 0), (5, 0), (0, 2), (3, 24)):
        data = bytearray(encoded(quarters, "BMP"))
        data[28:32] = struct.pack("<HH", bits, way)
        with pytest.raises(ImageUnsupported):
            decode(bytes(data), LIMITS)
    with pytest.raises(ImageUnsupported):
        decode(ODD["bigtiff-motorola"](quarters), LIMITS)
