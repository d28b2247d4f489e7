"""A mapped file is read like bytes, by every decoder, with the same result."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from agent.inference.vision.animations.animation_reading import frames_in
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import MappedFile, as_file, unpadded
from agent.inference.vision.flatten_alpha import opaque_image
from agent.inference.vision.redacted import RenderOptions, render
from agent.inference.vision.redacted.canvas import open_canvas

LIMITS = DecodeLimits(10, 10)


def mapped(data: bytes, folder: Path) -> MappedFile:
    path = folder / "mapped"
    path.write_bytes(data)
    with path.open("rb") as file:
        return MappedFile(file.fileno(), 0, access=1)


def picture(kind: str, mode: str = "RGB", **options: object) -> bytes:
    values = np.random.default_rng(3).integers(0, 256, (40, 60, len(PIL.Image.new(mode, (1, 1)).getbands())), np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(values.squeeze(), mode).save(out, kind, **options)
    return out.getvalue()


WRITTEN: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: picture("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    "inks": lambda: picture("JPEG", "CMYK"),
    "png": lambda: picture("PNG", "RGBA"),
    "webp": lambda: picture("WEBP"),
    "gif": lambda: picture("GIF", "L") + bytes(5000),
    "bmp": lambda: picture("BMP"),
    "tiff": lambda: picture("TIFF"),
    "packed": lambda: picture("TIFF", compression="tiff_lzw", description="words"),
    "avif": lambda: picture("AVIF"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_is_decoded_from_a_map_as_from_bytes(name: str, tmp_path: Path) -> None:
    data = WRITTEN[name]()
    there = mapped(data, tmp_path)
    one, other = decode(data, LIMITS), decode(there, LIMITS)
    assert (one.width, one.height, one.format) == (other.width, other.height, other.format)
    assert np.array_equal(one.pixels, other.pixels)
    assert (opaque_image(data, LIMITS) is None) == (opaque_image(there, LIMITS) is None)
    assert frames_in(there, LIMITS) == frames_in(data, LIMITS)
    copies = [named(each, LIMITS, lambda kind, each=each: open_canvas(each, kind, LIMITS)) for each in (data, there)]  # type: ignore[misc]
    assert np.array_equal(copies[0][0].colours, copies[1][0].colours)
    assert copies[0][1].left == copies[1][1].left
    assert render(there, RenderOptions(()), LIMITS) == render(data, RenderOptions(()), LIMITS)
    assert hashlib.sha256(there).digest() == hashlib.sha256(data).digest()


def test_it_has_the_methods_of_bytes_that_decoders_use(tmp_path: Path) -> None:
    there = mapped(b"beginning and end", tmp_path)
    assert there.startswith(b"begin")
    assert there.startswith((b"no", b"beg"))
    assert there.startswith(b"and", 10)
    assert not there.startswith(b"beginning and end and more")
    assert there.endswith(b"end")
    assert not there.endswith(b"beginning")


@pytest.mark.parametrize("zeros", [0, 1, 4095, 4096, 10_000])
def test_zeros_at_the_end_are_not_counted(zeros: int, tmp_path: Path) -> None:
    assert unpadded(mapped(b"abc" + bytes(zeros), tmp_path)) == 3
    assert unpadded(bytes(zeros)) == 0


def test_two_readers_of_one_map_have_their_own_positions(tmp_path: Path) -> None:
    there = mapped(bytes(range(100)), tmp_path)
    one, other = as_file(there), as_file(there)
    assert one.read(2) == b"\0\1"
    assert other.read(1) == b"\0"
    assert one.seek(-1, io.SEEK_END) == 99
    assert (one.read(5), one.read(), other.tell()) == (b"\x63", b"", 1)
    with pytest.raises(ValueError, match="negative"):
        one.seek(-1)
