"""Decodes with Pillow: PNG, WebP, GIF, BMP, TIFF, AVIF, and CMYK JPEG. Only the decoder of the detected format is tried."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import cv2
import numpy as np
import PIL.Image

from agent.domain.errors import ImageUnsupported
from agent.inference.vision.codecs import avif, bmp, png, tiff, webp
from agent.inference.vision.codecs.bands import bands, shrunk
from agent.inference.vision.codecs.colour import converter, strips_of, to_rgb
from agent.inference.vision.codecs.decoded_image import LARGE, DecodeLimits, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes, as_file
from agent.inference.vision.codecs.tiff import Exif, oriented, read_exif

_PLUGINS: Final = {"jpeg": "Jpeg", "png": "Png", "webp": "WebP", "gif": "Gif", "bmp": "Bmp", "tiff": "Tiff", "avif": "Avif"}
_TIFF_BITS: Final = 258  # a tag
_FINE: Final = 4000  # pixels: a large picture is decoded to a longer side of at least this, enough for every pass of a detector


@dataclass(frozen=True, slots=True)
class Read:
    """The first picture of a file, in the file's orientation."""

    pixels: Pixels
    width: int  # at full size
    height: int
    factor: int  # by which the size is divided
    exif: Exif
    profile: bytes  # ICC


def decode(data: FileBytes, name: str, limits: DecodeLimits, side: int | None = None) -> Read:
    """Decode a large picture to a longer side of at least `side` pixels. Raises ImageError, or any error of the decoder."""
    if name == "webp" and (told := webp.plain(data)) is not None:
        _check_webp(data, limits)
        return _plain_webp(data, told, side)
    opened = open_checked(data, name, limits)
    profile = opened.info.get("icc_profile") or b""
    large = opened.width * opened.height > LARGE
    parts = bands(opened, data, name, lambda file: _open(file, name, limits)) if large else None
    if parts is None:
        load(opened, name)
        parts = strips_of(opened)
    width, height = opened.size
    factor = max(1, max(width, height) // max(side, _FINE)) if large and side is not None else 1
    pixels = shrunk(map(converter(opened, profile), parts), width, height, factor)
    return Read(pixels, width, height, factor, exif_read(opened, data, name), profile)


def open_checked(data: FileBytes, name: str, limits: DecodeLimits) -> PIL.Image.Image:
    """Open the file without loading it, and make room for its first picture. Raises as above."""
    if name == "webp":
        _check_webp(data, limits)
    elif name == "png":
        data = png.readable(data)
    elif name == "tiff":
        tiff.check_values(data)
        if data.startswith(tiff.UNREAD):
            raise ImageUnsupported
    opened = _open(data, name, limits)
    limits.check_pixels(*opened.size)
    limits.make_room(*opened.size)
    return opened


def load(opened: PIL.Image.Image, name: str) -> None:
    """Decode the current picture. A completely invisible BMP is opaque: programs unaware of the fourth byte leave it 0."""
    opened.load()
    if name == "bmp" and opened.mode == "RGBA" and opened.getchannel("A").getextrema() == (0, 0):
        opened.putalpha(255)


def bits_of(opened: PIL.Image.Image, data: FileBytes, name: str) -> int:
    """Return the bit depth of the file's colours, however much of it survives decoding."""
    match name:
        case "png":
            return data[24] if len(data) > 24 else 8
        case "avif":
            return avif.coding_of(data).bits
        case "tiff":
            bits = getattr(opened, "tag_v2", {}).get(_TIFF_BITS, 1)
            return max(bits, default=1) if isinstance(bits, tuple) else int(bits)
        case _:
            return 8


def exif_read(opened: PIL.Image.Image, data: FileBytes, name: str) -> Exif:
    """Return its EXIF, or its XMP. A TIFF is rotated by its decoder."""
    if name == "tiff":
        return Exif(1, read_exif(data).taken_at)
    packet = opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp") or b""
    return oriented(read_exif(exif_of(opened)), packet.encode("utf-8", "replace") if isinstance(packet, str) else packet)


def decode_ink(data: FileBytes, factor: int, limits: DecodeLimits) -> Pixels:
    """Decode a CMYK JPEG, its size divided by `factor`. Raises any error of the decoder."""
    opened = _open(data, "jpeg", limits)
    profile = opened.info.get("icc_profile") or b""
    opened.draft(opened.mode, (max(1, opened.width // factor), max(1, opened.height // factor)))
    opened.load()
    return to_rgb(opened, profile)


def _plain_webp(data: FileBytes, told: webp.PlainWebp, side: int | None) -> Read:
    """Decode one opaque picture: half of Pillow's time, which decodes everything as an animation with transparency (measured).

    OpenCV decodes it whole in any case, but copies the result unless it halves it: by blocks of two by two, and 210 MB less for 100
    megapixels. By other factors it would skip pixels.
    """
    size = _webp_canvas(data)
    halved = side is not None and size is not None and size[0] * size[1] > LARGE and max(size) // 2 >= max(side, _FINE)
    flags = cv2.IMREAD_REDUCED_GRAYSCALE_2 if halved else 0
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None:
        raise ValueError("not a WebP picture")
    width, height = size if halved and size is not None else (decoded.shape[1], decoded.shape[0])
    exif = oriented(read_exif(told.exif), told.xmp)
    return Read(np.asarray(decoded, np.uint8), width, height, 2 if halved else 1, exif, told.profile)


def _open(data: FileBytes, name: str, limits: DecodeLimits) -> PIL.Image.Image:
    PIL.Image.MAX_IMAGE_PIXELS = round(limits.megapixels * 1e6)  # applies to inner parts: tiles, frames
    plugin = import_module(f"PIL.{_PLUGINS[name]}ImagePlugin")
    if name == "avif":
        vars(plugin)["DEFAULT_MAX_THREADS"] = limits.threads
    try:
        return _opener(name)(as_file(data), "")
    except (SyntaxError, OSError) as error:
        if name == "bmp" and "bitfields" in str(error):
            return bmp.by_masks(data, limits)
        if says_unsupported(error):
            raise ImageUnsupported from error
        raise


def says_unsupported(error: Exception) -> bool:
    """Return whether a decoder only objects that it doesn't know the file's kind."""
    return any(word in str(error).lower() for word in ("unknown", "unsupported", "not supported"))


def _opener(name: str) -> Callable[..., PIL.Image.Image]:
    """Return the plug-in's opener. Not `PIL.Image.open`: it tries others, and hides errors."""
    if name == "tiff":
        from agent.inference.vision.codecs.tiff_file import TiffFile

        return TiffFile
    return PIL.Image.OPEN[name.upper()][0]


def exif_of(opened: PIL.Image.Image) -> bytes:
    """Return EXIF from its beginning; empty if there is none."""
    found = opened.info.get("exif")
    if not isinstance(found, bytes):
        found = _hexadecimal(opened.info.get("Raw profile type exif"))  # as ImageMagick writes it into PNG
    return found.removeprefix(b"Exif\0\0")


def _hexadecimal(text: object) -> bytes:
    try:
        return bytes.fromhex("".join(str(text).split("\n")[3:]))
    except ValueError:
        return b""


def _check_webp(data: FileBytes, limits: DecodeLimits) -> None:
    """Check the size: its decoder allocates memory for the whole picture when the file is opened. Raises ImageTooLarge."""
    if (canvas := _webp_canvas(data)) is not None:
        limits.check_whole(*canvas)


def _webp_canvas(data: FileBytes) -> tuple[int, int] | None:
    """Return width and height; None if the first chunk is unknown."""
    head = data[12:30]
    if len(head) < 18:
        return None
    match head[:4]:
        case b"VP8X":
            return 1 + int.from_bytes(head[12:15], "little"), 1 + int.from_bytes(head[15:18], "little")
        case b"VP8L":
            bits = int.from_bytes(head[9:13], "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case b"VP8 ":
            return int.from_bytes(head[14:16], "little") & 0x3FFF, int.from_bytes(head[16:18], "little") & 0x3FFF
        case _:
            return None
