"""WebP: one opaque picture is told from all others by the file's chunks."""

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from agent.domain.errors import ImageTooLarge
from agent.inference.vision.codecs import DecodeLimits, decode, pillow
from agent.inference.vision.codecs.webp import PlainWebp, plain

EXIF = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def webp(mode: str = "RGB", **options: Any) -> bytes:
    picture = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 255, (30, 50, len(mode)), np.uint8), mode)
    out = io.BytesIO()
    picture.save(out, "WEBP", **options)
    return out.getvalue()


@pytest.mark.parametrize("lossless", [False, True])
def test_one_opaque_picture_is_plain_with_its_metadata(lossless: bool) -> None:
    told = plain(webp(lossless=lossless, exif=EXIF, xmp=b"<x/>", icc_profile=b"profile"))
    assert told == PlainWebp(EXIF, b"<x/>", b"profile")
    assert plain(webp(lossless=lossless)) == PlainWebp()


def test_its_orientation_counts() -> None:
    assert (decode(webp(exif=EXIF), DecodeLimits(1, 1)).width, decode(webp(), DecodeLimits(1, 1)).width) == (30, 50)


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("profile", [b"", b"profile"])
def test_a_large_one_is_halved_by_blocks_of_four_pixels(monkeypatch: pytest.MonkeyPatch, lossless: bool, profile: bytes) -> None:
    data = webp(lossless=lossless, exif=EXIF, icc_profile=profile)
    whole = decode(data, DecodeLimits(1, 1), 25).pixels.astype(np.uint16)
    monkeypatch.setattr(pillow, "LARGE", 50 * 30 - 1)
    monkeypatch.setattr(pillow, "_FINE", 20)
    halved = decode(data, DecodeLimits(1, 1), 25)
    blocks = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2] + 2) // 4
    assert (halved.width, halved.height, halved.scale) == (30, 50, 0.5)
    assert np.abs(halved.pixels.astype(int) - blocks.astype(int)).max() <= 1
    assert decode(data, DecodeLimits(1, 1), 26).pixels.shape == (50, 30, 3)
    assert decode(data, DecodeLimits(1, 1)).pixels.shape == (50, 30, 3)


@pytest.mark.parametrize("lossless", [False, True])
def test_transparency_and_frames_are_not_plain(lossless: bool) -> None:
    assert plain(webp("RGBA", lossless=lossless)) is None
    frames = [PIL.Image.new("RGB", (50, 30), colour) for colour in ("red", "blue")]
    assert plain(webp(save_all=True, append_images=frames, lossless=lossless)) is None


@pytest.mark.parametrize("size", [0, 10, 20, 29, 100])
def test_a_file_that_ends_too_early_is_not_plain(size: int) -> None:
    assert plain(webp()[:size]) is None


def test_above_half_of_a_high_limit_it_is_refused_with_its_number() -> None:
    data = webp()
    at = data.index(b"VP8 ") + 14
    large = data[:at] + (12_000).to_bytes(2, "little") + (9_000).to_bytes(2, "little") + data[at + 4 :]
    with pytest.raises(ImageTooLarge) as caught:
        decode(large, DecodeLimits(200, 500))
    assert caught.value.params == {"needed": "216", "megapixels": 108, "limit": 100}
