"""Colours: whatever a profile means becomes what a screen shows; a profile that can't be used says nothing."""

import struct
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from agent.inference.vision.codecs import DecodeLimits, Pixels, decode, encode_preview
from agent.inference.vision.redacted.canvas import open_canvas

LIMITS = DecodeLimits(megapixels=10, megabytes=10)
Encode = Callable[..., bytes]


def as_screens_show(colour: tuple[int, int, int]) -> list[int]:
    """A colour of a Display P3 of gamma 2.2 as sRGB, by the books."""
    to_xyz = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
    srgb = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
    linear = np.linalg.solve(srgb, to_xyz @ (np.array(colour) / 255) ** 2.2)
    return [round(255 * (1.055 * value ** (1 / 2.4) - 0.055)) for value in linear]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_a_phone_s_wide_colours_become_those_of_a_screen(encoded: Encode, display_p3: bytes, heif_writer: None, kind: str) -> None:
    colour = (200, 110, 100)
    data = encoded(np.full((64, 64, 3), colour, np.uint8), kind, icc_profile=display_p3)
    expected = as_screens_show(colour)
    assert np.abs(np.array(expected) - colour).max() > 10
    image = decode(data, LIMITS)
    assert np.abs(image.pixels[30, 30].astype(int) - colour).max() <= 4, "to find faces in, they may stay"
    assert np.abs(image.shown(image.pixels)[30, 30].astype(int) - expected).max() <= 4
    preview = decode(encode_preview(data, LIMITS, 32), LIMITS)
    assert np.abs(preview.pixels[15, 15].astype(int) - expected).max() <= 6


def test_all_of_a_large_picture_is_converted(display_p3: bytes, encoded: Encode) -> None:
    data = encoded(np.full((1050, 1000, 3), (200, 110, 100), np.uint8), "PNG", compress_level=1, icc_profile=display_p3)
    image = decode(data, LIMITS)
    pixels = image.shown(image.pixels)
    assert (pixels == pixels[0, 0]).all()
    assert pixels[0, 0, 0] > 205


@pytest.mark.parametrize("profile", ["srgb", "grey", "broken", "huge"])
def test_a_profile_that_says_nothing_changes_nothing(encoded: Encode, display_p3: bytes, profile: str) -> None:
    data = {
        "srgb": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        "grey": display_p3.replace(b"RGB ", b"GRAY"),
        "broken": display_p3[:200],
        "huge": display_p3 + bytes(5_000_000),
    }[profile]
    image = decode(encoded(np.full((40, 40, 3), (200, 110, 100), np.uint8), "WEBP", lossless=True, icc_profile=data), LIMITS)
    assert image.shown(image.pixels)[5, 5].tolist() == [200, 110, 100]


def test_lab_and_inks_become_colours(encoded: Encode) -> None:
    lab = PIL.Image.merge("LAB", [PIL.Image.new("L", (40, 40), value) for value in (136, 208, 195)])
    red, green, blue = decode(encoded(lab, "TIFF"), LIMITS).pixels[5, 5].tolist()
    assert red > 200 and green < 60 and blue < 60
    ink = PIL.Image.new("CMYK", (800, 400), (0, 255, 255, 0))
    image = decode(encoded(ink, "JPEG"), LIMITS, 100)
    assert image.pixels.shape == (50, 100, 3) and (image.scale, image.width) == (0.125, 800)
    red, green, blue = image.pixels[5, 5].tolist()
    assert red > 200 and green < 60 and blue < 60


@pytest.mark.parametrize("mode", ["LA", "RGBA", "P", "1", "L", "I;16", "I", "F"])
def test_every_way_of_writing_white_is_white(mode: str, encoded: Encode) -> None:
    most = {"I;16": 65535, "I": 255, "F": 255.0}
    if mode in most:
        picture = PIL.Image.fromarray(np.full((30, 30), most[mode], {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]))
    else:
        picture = PIL.Image.new("RGBA", (30, 30), (255, 255, 255, 0)).convert(mode)
    assert decode(encoded(picture, "TIFF"), LIMITS).pixels.min() == 255


def bmp(alphas: tuple[int, int]) -> bytes:
    """30 by 30 red pixels, with an alpha for each half."""
    header = struct.pack("<LllHHLLllLL", 108, 30, 30, 1, 32, 3, 3600, 2835, 2835, 0, 0)
    header += struct.pack("<LLLL", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"BGRs" + bytes(48)
    pixels = b"".join(bytes([10, 20, 220, alpha]) * 450 for alpha in alphas)
    return b"BM" + struct.pack("<LHHL", 14 + 108 + len(pixels), 0, 0, 14 + 108) + header + pixels


def test_a_bmp_whose_alpha_nobody_has_set_is_opaque() -> None:
    unset = bmp((0, 0))
    assert decode(unset, LIMITS).pixels.reshape(-1, 3).max(axis=0).tolist() == [220, 20, 10]
    canvas, _ = open_canvas(unset, "bmp", LIMITS)
    assert canvas.colours[5, 5].tolist() == [220, 20, 10]
    half = decode(bmp((0, 255)), LIMITS).pixels
    assert (half[5, 5].tolist(), half[25, 5].tolist()) == ([220, 20, 10], [255, 255, 255])


def test_grey_that_is_multiplied_with_its_alpha_is_decoded(encoded: Encode) -> None:
    data = encoded(PIL.Image.new("LA", (30, 30), (100, 128)), "TIFF")
    told, multiplied = (struct.pack("<HHLHH", 338, 3, 1, kind, 0) for kind in (2, 1))
    assert data.count(told) == 1
    shown = decode(data.replace(told, multiplied), LIMITS).pixels[5, 5]
    assert np.abs(shown.astype(int) - (255 - 128 + 100)).max() <= 2


def grey_tiff(encoded: Encode, value: int, *, bits: int = 16, photometric: int = 1) -> bytes:
    """A TIFF of 30 by 30 pixels, whose words all are `value`; what it says of them may be something else."""
    data = encoded(PIL.Image.fromarray(np.full((30, 30), value, np.uint16)), "TIFF")
    for tag, before, after in ((258, 16, bits), (262, 1, photometric)):
        told = struct.pack("<HHLHH", tag, 3, 1, before, 0)
        assert data.count(told) == 1
        data = data.replace(told, struct.pack("<HHLHH", tag, 3, 1, after, 0))
    return data


@pytest.mark.parametrize(("value", "shown"), [(0, 255), (65535, 0), (0x4000, 191)])
def test_sixteen_bits_of_which_none_is_white_are_no_negative(encoded: Encode, value: int, shown: int) -> None:
    data = grey_tiff(encoded, value, photometric=0)
    assert decode(data, LIMITS).pixels[5, 5].tolist() == [shown] * 3
    assert open_canvas(data, "tiff", LIMITS)[0].colours[5, 5].tolist() == [65535 - value]


def test_twelve_bits_are_not_taken_for_the_darkest_of_sixteen(encoded: Encode) -> None:
    data = grey_tiff(encoded, 0xFFFF, bits=12)
    assert decode(data, LIMITS).pixels[5, 5].tolist() == [255] * 3
    assert open_canvas(data, "tiff", LIMITS)[0].colours[5, 5].tolist() == [65535]
    half = grey_tiff(encoded, 0x8888, bits=12)
    assert decode(half, LIMITS).pixels[5, 5].tolist() == [0x88] * 3
    assert open_canvas(half, "tiff", LIMITS)[0].colours[5, 5].tolist() == [0x8888]


@pytest.mark.parametrize("white", [1.0, 255.0, 4000.0])
def test_fractions_are_shown_as_bright_as_whole_numbers(encoded: Encode, white: float) -> None:
    values = np.array([[0, 0.25], [0.5, 1]], np.float32).repeat(20, 0).repeat(20, 1) * np.float32(white)
    pixels = decode(encoded(PIL.Image.fromarray(values), "TIFF"), LIMITS).pixels
    assert [int(pixels[row, column, 0]) for row in (5, 25) for column in (5, 25)] == [0, 63, 127, 255]


def test_numbers_that_are_none_do_no_harm(encoded: Encode) -> None:
    values = np.array([[np.nan, np.inf], [-np.inf, 12.0]], np.float32).repeat(20, 0).repeat(20, 1)
    pixels: Pixels = decode(encoded(PIL.Image.fromarray(values), "TIFF"), LIMITS).pixels
    assert pixels[-1, -1].tolist() == [12, 12, 12]
