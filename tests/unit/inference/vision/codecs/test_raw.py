"""Cameras' raw files: the camera's own JPEG is found, upright, with its moment."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from agent.domain.errors import ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs import DecodeLimits, Pixels, decode, sniff

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
KINDS = ["dng", "cr2", "nef", "orf", "rw2", "raf", "cr3"]
MakeRaw = Callable[..., bytes]
Encode = Callable[..., bytes]


@pytest.mark.parametrize("kind", KINDS)
def test_the_camera_s_own_picture_is_shown(make_raw: MakeRaw, quarters: Pixels, encoded: Encode, kind: str) -> None:
    data = make_raw(kind, encoded(quarters, "JPEG"))
    image = decode(data, LIMITS)
    assert sniff(data) == image.format == "raw"
    assert (image.width, image.height) == (96, 64)
    assert image.pixels[50, 80].min() > 200


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "raf"])
def test_it_stands_upright_and_knows_its_moment(make_raw: MakeRaw, quarters: Pixels, encoded: Encode, kind: str) -> None:
    stored = np.ascontiguousarray(np.rot90(quarters, 1))
    image = decode(make_raw(kind, encoded(stored, "JPEG"), orientation=6), LIMITS)
    assert image.pixels.shape == (64, 96, 3)
    assert image.pixels[50, 80].min() > 200
    assert image.taken_at == datetime(2025, 7, 6, 5, 4, 3)  # noqa: DTZ001 - the camera's clock


def test_what_the_preview_notes_itself_counts(make_raw: MakeRaw, quarters: Pixels, encoded: Encode) -> None:
    stored = np.ascontiguousarray(np.rot90(quarters, 1))
    image = decode(make_raw("raf", encoded(stored, "JPEG", 6)), LIMITS)
    assert (image.width, image.height) == (96, 64)


def test_the_largest_of_several_pictures_is_taken_at_the_size_that_is_needed(make_raw: MakeRaw, encoded: Encode) -> None:
    small, large = (encoded(np.full((side, side * 2, 3), 90, np.uint8), "JPEG") for side in (60, 400))
    data = make_raw("dng", small + large + small)
    assert decode(data, LIMITS).width == 800
    assert decode(data, LIMITS, 100).pixels.shape == (50, 100, 3)


def test_a_file_without_a_picture_is_not_supported_and_one_whose_picture_is_cut_is_truncated(
    make_raw: MakeRaw, quarters: Pixels, encoded: Encode
) -> None:
    with pytest.raises(ImageUnsupported):
        decode(make_raw("dng", b""), LIMITS)
    data = make_raw("cr3", encoded(quarters, "JPEG"))
    with pytest.raises(ImageTruncated):
        decode(data[: data.rindex(b"\xff\xd9") - 20], LIMITS)
