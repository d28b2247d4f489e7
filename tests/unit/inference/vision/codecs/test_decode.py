"""Decoding: upright, reduced, limited, and every kind of broken file by its name."""

import io
from collections.abc import Callable
from datetime import datetime

import numpy as np
import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo

from agent.domain.errors import ImageCorrupt, ImageEmpty, ImageTooLarge, ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs import DecodeLimits, Pixels, decode, encode_preview, sniff
from agent.inference.vision.codecs import decoded_image as limits
from agent.inference.vision.redacted import RenderOptions, render

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
Encode = Callable[..., bytes]
Upright = Callable[[Pixels], bool]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF"])
def test_each_format_is_decoded_by_its_content(quarters: Pixels, encoded: Encode, upright: Upright, kind: str) -> None:
    data = encoded(quarters, kind)
    image = decode(data, LIMITS)
    assert image.format == kind.lower() == sniff(data)
    assert (image.width, image.height, image.scale) == (96, 64, 1.0)
    assert upright(image.pixels)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright_however_the_camera_was_held(
    quarters: Pixels, encoded: Encode, upright: Upright, stored: Callable[[Pixels, int], Pixels], kind: str, orientation: int
) -> None:
    image = decode(encoded(stored(quarters, orientation), kind, orientation), LIMITS)
    assert (image.width, image.height) == (96, 64)
    assert image.pixels.shape == (64, 96, 3)
    assert upright(image.pixels)


def test_a_jpeg_is_decoded_no_finer_than_asked(encoded: Encode) -> None:
    data = encoded(np.full((600, 800, 3), 90, np.uint8), "JPEG", 6)
    for side, factor in ((90, 8), (100, 8), (101, 4), (250, 2), (401, 1), (5000, 1)):
        image = decode(data, LIMITS, side)
        assert image.scale == 1 / factor
        assert image.pixels.shape == (800 // factor, 600 // factor, 3)
        assert (image.width, image.height) == (600, 800)
        assert image.reduced == (factor > 1)


def test_transparent_parts_become_white(encoded: Encode) -> None:
    picture = PIL.Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    assert decode(encoded(picture, "PNG"), LIMITS).pixels.min() == 255


def test_sixteen_bits_cmyk_and_grey_become_eight_bit_colour(encoded: Encode) -> None:
    deep = PIL.Image.fromarray(np.full((40, 40), 32768, np.uint16))
    assert decode(encoded(deep, "PNG"), LIMITS).pixels[5, 5].tolist() == [128, 128, 128]
    grey = PIL.Image.new("L", (40, 40), 77)
    assert decode(encoded(grey, "JPEG"), LIMITS).pixels[5, 5].tolist() == [77, 77, 77]
    ink = PIL.Image.new("CMYK", (40, 40), (0, 255, 255, 0))
    red, green, blue = decode(encoded(ink, "JPEG"), LIMITS).pixels[5, 5].tolist()
    assert red > 200 and green < 60 and blue < 60
    palette = PIL.Image.new("P", (40, 40), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    assert decode(encoded(palette, "GIF"), LIMITS).pixels[5, 5].tolist() == [10, 200, 30]


def test_an_empty_file_is_named_as_such() -> None:
    with pytest.raises(ImageEmpty):
        decode(b"", LIMITS)


@pytest.mark.parametrize("data", [b"hello, this is text", b"%PDF-1.7 ...", b"\0" * 500, b"\0\0\0\x20ftypisom" + b"\0" * 50])
def test_what_is_no_image_is_unsupported(data: bytes) -> None:
    with pytest.raises(ImageUnsupported):
        decode(data, LIMITS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_a_file_that_ends_too_early_is_named_as_such(encoded: Encode, kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    data = encoded(noise, kind)
    with pytest.raises(ImageTruncated):
        decode(data[: int(len(data) * share)], LIMITS)


def test_a_cut_jpeg_is_not_saved_by_the_end_mark_of_its_thumbnail(quarters: Pixels, encoded: Encode) -> None:
    thumbnail = encoded(quarters, "JPEG")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    data = encoded(quarters, "JPEG")
    with_thumbnail = data[:2] + segment + data[2:]
    assert decode(with_thumbnail, LIMITS).width == 96
    with pytest.raises(ImageTruncated):
        decode(with_thumbnail[:-40], LIMITS)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(quarters: Pixels, encoded: Encode, upright: Upright) -> None:
    assert upright(decode(encoded(quarters, "JPEG") + b"a motion picture, perhaps", LIMITS).pixels)


def test_a_whole_file_of_broken_content_is_corrupt(quarters: Pixels, encoded: Encode) -> None:
    png = bytearray(encoded(quarters, "PNG"))
    png[40:60] = b"\x55" * 20
    with pytest.raises(ImageCorrupt):
        decode(bytes(png), LIMITS)
    jpeg = encoded(quarters, "JPEG")
    with pytest.raises(ImageCorrupt):
        decode(jpeg[:2] + jpeg[-400:], LIMITS)


def test_limits_are_checked_before_anything_is_decoded(encoded: Encode) -> None:
    data = encoded(np.zeros((400, 500, 3), np.uint8), "PNG")
    with pytest.raises(ImageTooLarge) as caught:
        decode(data[:200] + b"broken behind the header", DecodeLimits(megapixels=0.1, megabytes=1))
    assert caught.value.params == {"megapixels": 0, "limit": 0.1}
    with pytest.raises(ImageTooLarge):
        decode(data, DecodeLimits(megapixels=10, megabytes=0.0001))


def test_room_is_made_before_a_large_picture_is_decoded_whole(monkeypatch: pytest.MonkeyPatch, encoded: Encode) -> None:
    monkeypatch.setattr(limits, "LARGE", 100 * 100)
    asked: list[bool] = []
    roomy = DecodeLimits(megapixels=10, megabytes=10, give_back=lambda: asked.append(True))
    decode(encoded(np.zeros((100, 100, 3), np.uint8), "PNG"), roomy)
    assert not asked
    with pytest.raises(ImageTruncated):
        decode(encoded(np.zeros((100, 101, 3), np.uint8), "PNG")[:60], roomy)
    assert asked == [True]


def test_a_preview_is_upright_and_no_longer_than_asked(quarters: Pixels, encoded: Encode, upright: Upright) -> None:
    stored = np.ascontiguousarray(np.rot90(quarters, 1))
    preview = decode(encode_preview(encoded(stored, "JPEG", 6), LIMITS, 48), LIMITS)
    assert (preview.width, preview.height, preview.format) == (48, 32, "jpeg")
    assert upright(preview.pixels)


def test_a_preview_is_never_larger_than_the_image(quarters: Pixels, encoded: Encode) -> None:
    assert decode(encode_preview(encoded(quarters, "PNG"), LIMITS, 1000), LIMITS).width == 96


@pytest.mark.parametrize(
    ("written", "taken_at"),
    [
        ("2025:07:06 05:04:03", datetime(2025, 7, 6, 5, 4, 3)),  # noqa: DTZ001 - the camera's clock
        ("2025:07:06 05:04:03\0", datetime(2025, 7, 6, 5, 4, 3)),  # noqa: DTZ001
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("yesterday", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_says_when_it_was_taken_by_the_cameras_clock(
    quarters: Pixels, kind: str, written: str | None, taken_at: datetime | None
) -> None:
    exif = PIL.Image.Exif()
    exif[0x0132] = "2001:01:01 01:01:01"  # when the file was changed last: not what is asked
    if written is not None:
        exif.get_ifd(0x8769)[0x9003] = written
    out = io.BytesIO()
    PIL.Image.fromarray(quarters).save(out, kind, exif=exif)
    assert decode(out.getvalue(), LIMITS).taken_at == taken_at


PACKETS = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>',
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><tiff:Orientation>6</tiff:Orientation></x:xmpmeta>",
)


@pytest.mark.parametrize("packet", PACKETS)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_how_a_photo_was_held_is_told_by_xmp_if_exif_doesnt_say(
    quarters: Pixels, encoded: Encode, upright: Upright, kind: str, packet: bytes
) -> None:
    lying = np.ascontiguousarray(np.rot90(quarters))  # as it lies if it is to be turned clockwise
    options: dict[str, object] = {"xmp": packet}
    if kind == "PNG":
        options = {"pnginfo": PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", packet.decode())  # type: ignore[attr-defined]
    if kind == "TIFF":
        options = {"tiffinfo": {700: packet}}
    data = encoded(lying, kind, **options)
    image = decode(data, LIMITS)
    assert upright(image.pixels)
    assert (image.width, image.height) == quarters.shape[1::-1]
    assert upright(decode(render(data, RenderOptions(()), LIMITS).data, LIMITS).pixels)
    if kind in ("JPEG", "WEBP", "PNG"):
        assert decode(encoded(lying, kind, 1, **options), LIMITS).width == quarters.shape[0]
