"""HEIC: phones' photos, upright by the format's own rules."""

import io
from collections.abc import Callable
from datetime import datetime

import numpy as np
import PIL.Image
import pytest

from agent.domain.errors import ImageCorrupt, ImageTooLarge, ImageTruncated
from agent.inference.vision.codecs import DecodeLimits, Pixels, decode, decoded_image, sniff
from agent.inference.vision.redacted.metadata import of_heic
from agent.infrastructure.core.i18n import Texts
from tests.support.fast_encoders import QUICK

LIMITS = DecodeLimits(megapixels=10, megabytes=10)


def heic(picture: PIL.Image.Image, orientation: int = 1, taken_at: str | None = None) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    if taken_at is not None:
        exif.get_ifd(0x8769)[0x9003] = taken_at
    out = io.BytesIO()
    picture.save(out, "HEIF", quality=95, chroma=444, exif=exif.tobytes(), **QUICK["HEIF"])
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phone_s_photo_stands_upright(
    heif_writer: None, upright: Callable[[Pixels], bool], quarters: Pixels, stored: Callable[[Pixels, int], Pixels], orientation: int
) -> None:
    data = heic(PIL.Image.fromarray(stored(quarters, orientation)), orientation, "2025:07:06 05:04:03")
    image = decode(data, LIMITS)
    assert sniff(data) == image.format == "heic"
    assert (image.width, image.height) == (96, 64) == image.pixels.shape[1::-1]
    assert upright(image.pixels)
    assert image.taken_at == datetime(2025, 7, 6, 5, 4, 3)  # noqa: DTZ001 - the camera's clock


def test_a_photos_pixels_stay_when_others_are_decoded(heif_writer: None) -> None:
    first, *others = (heic(PIL.Image.new("RGB", (480, 320), colour)) for colour in ("red", "blue", "lime"))
    held = decode(first, LIMITS)
    for other in others:
        decode(other, LIMITS)
    assert np.abs(held.pixels.astype(int) - (255, 0, 0)).max() <= 3


def test_transparent_parts_become_white(heif_writer: None) -> None:
    assert decode(heic(PIL.Image.new("RGBA", (64, 64), (255, 0, 0, 0))), LIMITS).pixels.min() > 250


def test_grey_photos_are_colour_photos(heif_writer: None) -> None:
    assert np.abs(decode(heic(PIL.Image.new("L", (64, 64), 77)), LIMITS).pixels[5, 5].astype(int) - 77).max() <= 2


def test_more_pixels_than_allowed_and_missing_or_broken_ends_are_named(heif_writer: None) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (100, 150, 3), np.uint8)
    data = heic(PIL.Image.fromarray(noise))
    with pytest.raises(ImageTooLarge):
        decode(data, DecodeLimits(megapixels=0.01, megabytes=10))
    for share in (0.02, 0.3, 0.9):
        with pytest.raises(ImageTruncated):
            decode(data[: int(len(data) * share)], LIMITS)
    with pytest.raises(ImageCorrupt):
        decode(data[:200] + bytes(len(data) - 200), LIMITS)


@pytest.mark.parametrize("kind", [b"\xff\xff\xff\xff", b"Exi\xc3"])
def test_an_item_whose_kind_is_no_text_is_named(heif_writer: None, kind: bytes) -> None:
    """Its library would end the process: it makes a text of the kind, and looks for that text where there is none."""
    data = heic(PIL.Image.new("RGB", (64, 64)), taken_at="2025:07:06 05:04:03")
    at = data.index(b"Exif", data.index(b"infe"))
    with pytest.raises(ImageCorrupt):
        decode(data[:at] + kind + data[at + 4 :], LIMITS)
    with pytest.raises(ValueError, match="utf-8"):
        of_heic(data[:at] + kind + data[at + 4 :])


SIZES = [(200, 10_100, 100, 205), (400, 15_000, 200, 450), (150, 10_100, 100, 205), (50, 7_000, None, 0), (200, 10_000, None, 0)]


@pytest.mark.parametrize(("setting", "side", "limit", "needed"), SIZES)
def test_a_heic_that_would_take_too_much_memory_is_refused_with_its_number(setting: int, side: int, limit: int | None, needed: int) -> None:
    """It is decoded whole, and takes twice the memory that others do."""
    limits = DecodeLimits(megapixels=setting, megabytes=10)
    if limit is None:
        limits.check_whole(side, side)
        return
    with pytest.raises(ImageTooLarge) as raised:
        limits.check_whole(side, side)
    assert raised.value.params == {"needed": str(needed), "megapixels": round(side * side / 1e6), "limit": limit}
    for language in ("en", "zh-CN"):
        texts = Texts(language)
        assert f"{round(side * side / 1e6)}" in texts.cause(raised.value)
        assert f"max_megapixels {needed}`" in texts.remedy(raised.value)
    DecodeLimits(megapixels=needed, megabytes=10).check_whole(side, side)


def test_the_limit_holds_for_a_heic_file(heif_writer: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoded_image, "WHOLE", 0.001)
    data = heic(PIL.Image.fromarray(np.zeros((100, 150, 3), np.uint8)))
    with pytest.raises(ImageTooLarge) as raised:
        decode(data, DecodeLimits(megapixels=0.02, megabytes=10))
    assert raised.value.params["needed"] == "1"
    assert decode(data, DecodeLimits(megapixels=0.04, megabytes=10)).width == 150
