"""Covered pixels are gone from copies of every format: files that differ below the cover only have the same copy, byte for byte."""

import io
import struct
import zlib
from functools import cache
from itertools import product

import cv2
import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape, Style
from agent.inference.vision.redacted import Copy, RenderOptions, render
from agent.inference.vision.redactor import SOLID, covered
from tests.support.covered_files import COVER, FILES, HEIGHT, INNER, LIMITS, LOSSLESS, WIDTH, Pixels, rgba, saved, scene

WISH = RenderOptions((COVER,))
BELOW = covered([COVER], WIDTH, HEIGHT)
# Where each block is coded by itself, or nothing is lost.
EXACT = (*LOSSLESS, "jpeg", "jpeg-444", "jpeg-progressive", "jpeg-grey", "jpeg-inks", "tiff-inks")


@cache
def copied(name: str) -> Copy:
    return render(FILES[name](1), WISH, LIMITS)


@pytest.mark.parametrize(("name", "style"), [*product(EXACT, [Style.SOLID]), *product(("png", "jpeg", "gif", "gif-moving"), [Style.EMOJI])])
def test_what_was_below_leaves_no_trace_in_any_byte(name: str, style: Style) -> None:
    wish = RenderOptions((Cover(COVER.box, Look(style, Shape.BOX)),))
    one, other = (FILES[name](seed) for seed in (1, 2))
    assert one != other
    assert render(one, wish, LIMITS).data == render(other, wish, LIMITS).data


@pytest.mark.parametrize("name", FILES)
def test_covered_pixels_have_the_covers_colour_and_are_opaque(name: str) -> None:
    copy = copied(name)
    shown = rgba(copy.data)
    assert shown.shape == (HEIGHT, WIDTH, 4)
    inside = shown[20:76, 36:92].astype(int)
    assert (inside[:, :, 3] == 255).all()
    assert np.abs(inside[:, :, :3] - SOLID).max() <= (12 if name not in LOSSLESS else 0)


@pytest.mark.parametrize("name", LOSSLESS)
def test_what_is_not_covered_is_the_same_bit_for_bit(name: str) -> None:
    data = FILES[name](1)
    copy = copied(name)
    before, after = (np.asarray(rgba(each)) for each in (data, copy.data))
    visible = ~BELOW & (before[:, :, 3] > 0)
    assert np.array_equal(before[visible], after[visible])
    assert np.array_equal(before[:, :, 3][~BELOW], after[:, :, 3][~BELOW])


@pytest.mark.parametrize("name", ["png-deep", "tiff-deep", "png-deep-grey", "png-deep-grey-clear", "tiff-deep-grey"])
def test_sixteen_bits_stay_sixteen(name: str) -> None:
    data = FILES[name](1)
    copy = copied(name)
    before, after = (cv2.imdecode(np.frombuffer(each, np.uint8), cv2.IMREAD_UNCHANGED) for each in (data, copy.data))
    assert before is not None and after is not None
    assert before.dtype == after.dtype == np.uint16
    assert np.array_equal(before[~BELOW], after[~BELOW])


@pytest.mark.parametrize(
    ("depth", "kind", "clear"),
    [*((depth, 0, (1,)) for depth in (1, 2, 4, 8)), (16, 0, (258,)), (8, 2, (1, 2, 3)), (16, 2, (258, 515, 772))],
)
def test_a_colour_that_is_transparent_stays_so(depth: int, kind: int, clear: tuple[int, ...]) -> None:
    row = b"".join(value.to_bytes(2, "big") for value in clear) * 64 if depth == 16 else bytes(clear) * 64
    if depth < 8:  # as many of them as a byte has room for
        row = bytes([sum(clear[0] << at for at in range(0, 8, depth))] * (64 * depth // 8))
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 64, 64, depth, kind, 0, 0, 0)),
        (b"tRNS", b"".join(value.to_bytes(2, "big") for value in clear)),
        (b"IDAT", zlib.compress((b"\0" + row) * 64)),
        (b"IEND", b""),
    )
    chunks = (struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts)
    shown = rgba(render(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), RenderOptions((Cover(Box(8, 24, 40, 30), Look()),)), LIMITS).data)
    assert not shown[:16].any() and shown[30, 20, 3] == 255


@pytest.mark.parametrize("name", ["jpeg", "jpeg-444", "webp", "avif", "heic"])
def test_what_is_not_covered_hardly_changes_where_a_format_loses(name: str) -> None:
    data = FILES[name](1)
    far = (slice(0, HEIGHT), slice(0, 16))
    before, after = (rgba(each)[far].astype(int) for each in (data, copied(name).data))
    assert np.abs(before - after).mean() < 2


@pytest.mark.parametrize("name", FILES)
def test_each_copy_is_what_it_says(name: str) -> None:
    copy = copied(name)
    kind = {"heic": "jpeg", "tiff-deep": "png"}.get(name, name.split("-")[0])
    assert (copy.format, copy.width, copy.height) == (kind, WIDTH, HEIGHT)
    assert PIL.Image.open(io.BytesIO(copy.data)).format == kind.upper()


def frames(data: bytes) -> list[Pixels]:
    return [np.asarray(frame.convert("RGBA")) for frame in PIL.ImageSequence.Iterator(PIL.Image.open(io.BytesIO(data)))]


@pytest.mark.parametrize("name", ["gif-moving", "png-moving", "webp-moving", "tiff-pages"])
def test_of_films_and_pages_only_the_first_picture_is_copied(name: str) -> None:
    copy = copied(name)
    assert len(frames(copy.data)) == 1
    assert copy.removed == ("pages" if name == "tiff-pages" else "frames",)
    assert noise_of(2).tobytes() not in copy.data


def noise_of(seed: int) -> Pixels:
    return scene(seed)[INNER]


def test_a_gif_whose_palette_is_full_keeps_its_colours() -> None:
    colours = np.arange(256, dtype=np.uint8)
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:16, :, 0] = np.tile(colours, 4).reshape(16, 64)
    picture[:, :, 1] = 9
    picture[16:] = picture[15, 63]
    data = saved(PIL.Image.fromarray(picture).quantize(256), "GIF")
    for style in Style:
        cover = Cover(Box(8, 24, 40, 30), Look(style))
        after = rgba(render(data, RenderOptions((cover,)), LIMITS).data)
        outside = ~covered([cover], 64, 64)
        assert np.array_equal(after[outside], rgba(data)[outside])


def test_colours_that_nobody_sees_are_no_hiding_place() -> None:
    for alpha, kind in product((0, 1, 3), ("PNG", "WEBP", "TIFF")):
        hidden = np.dstack([scene(1), np.full((HEIGHT, WIDTH), alpha, np.uint8)])
        options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
        copy = render(saved(PIL.Image.fromarray(hidden), kind, **options), RenderOptions(()), LIMITS)
        shown = np.asarray(PIL.Image.open(io.BytesIO(copy.data)).convert("RGBA"))
        assert not shown[:, :, :3].any() and (shown[:, :, 3] == alpha).all()


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "gif-moving", "webp", "bmp", "tiff"])
def test_what_follows_the_picture_in_its_file_is_not_copied(name: str) -> None:
    slack = FILES["jpeg"](1) + b"what was left here before"
    copy = render(FILES[name](1) + slack, WISH, LIMITS)
    assert b"left here" not in copy.data
    assert copy.data == copied(name).data
    assert ("trailing" in copy.removed) == (name != "tiff")


@pytest.mark.parametrize("begin", [b"mpvd", b"ftypmp42"])
@pytest.mark.parametrize("name", ["heic", "avif"])
def test_a_film_behind_a_phones_photo_is_not_copied(name: str, begin: bytes) -> None:
    film = begin + FILES["jpeg"](1) + b"what moved"
    copy = render(FILES[name](1) + struct.pack(">L", len(film) + 4) + film + b"\0\0\0\x08moov", WISH, LIMITS)
    assert b"what moved" not in copy.data
    assert copy.data == copied(name).data
    assert copy.removed == ("trailing",)


def test_other_pictures_of_a_phones_photo_are_not_copied() -> None:
    both = saved(PIL.Image.fromarray(scene(1)), "HEIF", quality=95, save_all=True, append_images=[PIL.Image.fromarray(scene(2))])
    assert render(both, WISH, LIMITS).removed == ("pictures",)


def test_a_covers_edge_is_as_told_in_a_picture_that_was_turned() -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    data = saved(PIL.Image.fromarray(np.ascontiguousarray(np.rot90(scene(1)))), "PNG", exif=exif)
    copy = render(data, WISH, LIMITS)
    assert np.array_equal(rgba(copy.data), rgba(copied("png").data))
    assert "orientation" in copy.removed
    assert PIL.Image.open(io.BytesIO(copy.data)).getexif().get(0x0112) is None
