"""Decodes bytes to an upright RGB array, no finer than necessary, and names what is wrong with a file."""

import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.domain.errors import AgentError, ImageCorrupt, ImageEmpty, ImageTooLarge, ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs import heic, jpeg, pillow, raw, tiff
from agent.inference.vision.codecs.boxes import boxes
from agent.inference.vision.codecs.colour import to_srgb
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Image, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes, unpadded
from agent.inference.vision.codecs.tiff import Exif

T = TypeVar("T")
A = TypeVar("A", bound=NDArray[np.generic])

_NO_MEMORY: Final = -4  # OpenCV's error number for it


def decode(data: FileBytes, limits: DecodeLimits, side: int | None = None) -> Image:
    """Decode to a longer side of at least `side` pixels if the format supports reduced decoding, otherwise at full size.

    Limits are checked from the header, before decoding.
    Raises ImageEmpty, ImageUnsupported, ImageTruncated, ImageCorrupt or ImageTooLarge.
    """
    return named(data, limits, lambda name: _decode(data, name, limits, side))


def named(data: FileBytes, limits: DecodeLimits, read: Callable[[str], T]) -> T:
    """Return the result of `read` for the bytes and their format; errors are translated. Raises as above."""
    if not data:
        raise ImageEmpty
    limits.check_bytes(len(data))
    name = sniff(data)
    if name is None:
        raise ImageUnsupported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken metadata; and Pillow's own size limit, because ours applies
        try:
            return read(name)
        except AgentError:
            raise
        except Exception as error:  # decoders raise anything for broken bytes
            if _asks_too_much(error):
                raise ImageTooLarge from error
            if pillow.says_unsupported(error):
                raise ImageUnsupported from error
            raise (ImageTruncated if _is_cut(name, data, error) else ImageCorrupt) from error


def _decode(data: FileBytes, name: str, limits: DecodeLimits, side: int | None) -> Image:
    match name:
        case "jpeg":
            header = jpeg.read_header(data)
            pixels, scale = jpeg.decode(data, header, limits, side)
            return _upright(pixels, scale, header.width, header.height, name, header.exif, header.profile)
        case "raw":
            preview, header = raw.find_preview(data)
            pixels, scale = jpeg.decode(preview, header, limits, side)
            return _upright(pixels, scale, header.width, header.height, name, raw.read_notes(data, header.exif), header.profile)
        case "heic":
            pixels, exif, profile = heic.decode(data, limits)
        case _:
            read = pillow.decode(data, name, limits, side)
            return _upright(read.pixels, 1 / read.factor, read.width, read.height, name, read.exif, read.profile)
    return _upright(pixels, 1.0, pixels.shape[1], pixels.shape[0], name, exif, profile)


def _upright(pixels: Pixels, scale: float, width: int, height: int, name: str, exif: Exif, profile: bytes) -> Image:
    if exif.orientation >= 5:
        width, height = height, width
    turned = np.ascontiguousarray(turn(pixels, exif.orientation))
    return Image(turned, scale, width, height, name, exif.taken_at, to_srgb(profile))


def turn(pixels: A, orientation: int) -> A:
    """Undo one of EXIF's eight orientations: a view."""
    turned: NDArray[Any] = pixels
    if orientation >= 5:
        turned = turned.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    return cast("A", turned)


def _asks_too_much(error: Exception) -> bool:
    """Return whether a decoder was refused memory, or refused to allocate it: the pixel limit bounds the engine's memory."""
    by_opencv = isinstance(error, cv2.error) and error.code == _NO_MEMORY
    return by_opencv or isinstance(error, MemoryError | PIL.Image.DecompressionBombError) or "memory alloc" in str(error).lower()


def _is_cut(name: str, data: FileBytes, error: Exception) -> bool:
    """Return whether a file that can't be decoded ends too early, as during copying."""
    match name:
        case "png":
            return b"IEND" not in data[-1024:]
        case "webp":
            return len(data) < 12 or int.from_bytes(data[4:8], "little") + 8 > len(data)
        case "bmp":
            return len(data) < 14 or int.from_bytes(data[2:6], "little") > len(data)
        case "gif":
            return data[unpadded(data) - 1 :][:1] != b"\x3b"
        case "heic" | "avif":
            return _boxes_are_cut(data)
        case _:
            return len(data) < 64 or "truncated" in str(error).lower() or isinstance(error, EOFError)


def _boxes_are_cut(data: FileBytes) -> bool:
    """Return whether a box-based file (ISO 14496-12) ends inside a box."""
    return max((end for _, end in boxes(data)), default=0) != len(data)


# -- Detects a file's format by its first bytes, never by its name -----------------------------------------------------------------
_CAMERAS: Final = (b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FUJIFILMCCD-RAW", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR")
_AVIF: Final = {b"avif", b"avis"}
_HEVC: Final = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_GENERAL: Final = {b"mif1", b"msf1", b"mif2"}  # the other brands name the codec
_BRANDS: Final = 64  # no file has this many


def sniff(data: FileBytes) -> str | None:
    """Return the format; None if unsupported. The directories distinguish a camera raw file from a TIFF."""
    if data.startswith(b"\xff\xd8"):
        return "jpeg"
    if data.startswith(b"\x89PNG"):
        return "png"
    if data.startswith(b"RIFF") and data[8:12] in (b"WEBP", b""):
        return "webp"
    if data.startswith(b"GIF8"):
        return "gif"
    if data.startswith(tiff.MAGICS):
        return "raw" if tiff.is_raw(data) else "tiff"
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    if data.startswith(_CAMERAS):
        return "raw"
    return "bmp" if data.startswith(b"BM") else None


def _of_brands(data: FileBytes) -> str | None:
    """Return the format of a box-based file (ISO 14496-12); videos are such files too."""
    end = min(int.from_bytes(data[:4], "big"), 16 + 4 * _BRANDS)
    brands = [data[8:12], *(data[at : at + 4] for at in range(16, end, 4))]
    if brands[0] == b"crx ":
        return "raw"
    named = brands if brands[0] in _GENERAL else brands[:1]
    if _AVIF & set(named):
        return "avif"
    return "heic" if _HEVC & set(named) else None
