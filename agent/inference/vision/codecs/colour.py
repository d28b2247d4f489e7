"""Converts any colour representation of a file to sRGB with eight bits."""

import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Final

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageCms

from agent.inference.vision.codecs.decoded_image import Pixels

_AT_A_TIME: Final = 1_000_000  # pixels: keeps temporary memory small
_LARGEST_PROFILE: Final = 4_000_000  # bytes
_BITS, _PHOTOMETRIC, _TWELVE = 258, 262, (12,)  # a TIFF's tags
_S_RGB: Final = (b"sRGB", "sRGB".encode("utf-16-be"))


def to_srgb(profile: bytes) -> Callable[[Pixels], None] | None:
    """Return a function that converts RGB pixels of an ICC profile to sRGB in place; None if not needed, or if the profile is invalid."""
    if any(name in profile for name in _S_RGB):
        return None  # most pictures
    transform = _transform(profile, "RGB")
    if transform is None:
        return None

    def convert(pixels: Pixels) -> None:
        with suppress(ImageCms.PyCMSError, ValueError):  # a profile that fails only when it is used
            for rows in strips(pixels.shape[1], pixels.shape[0]):
                pixels[rows] = np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(pixels[rows]), transform))

    return convert


def to_rgb(opened: PIL.Image.Image, profile: bytes) -> Pixels:
    """Convert any of Pillow's modes to 8-bit RGB, inks by their ICC profile; transparency becomes white."""
    convert = converter(opened, profile)
    out = np.empty((opened.height, opened.width, 3), np.uint8)
    for rows, strip in zip(strips(opened.width, opened.height), strips_of(opened), strict=True):
        out[rows] = convert(strip)
    return out


def strips_of(opened: PIL.Image.Image) -> Iterator[PIL.Image.Image]:
    """Yield strips of a million pixels."""
    for rows in strips(opened.width, opened.height):
        yield opened.crop((0, rows.start, opened.width, min(rows.stop, opened.height)))


def converter(opened: PIL.Image.Image, profile: bytes) -> Callable[[PIL.Image.Image], Pixels]:
    """Return the same for strips or bands of the picture. If its numbers are not bytes, it must be loaded."""
    transform = _transform(profile, opened.mode) if opened.mode in ("CMYK", "LAB") else None
    white, negative = _brightest(opened), _is_negative(opened)
    return lambda strip: _strip_to_rgb(strip, transform, white, negative)


def sixteen_bits(opened: PIL.Image.Image) -> NDArray[np.uint16]:
    """Return a picture of Pillow's modes I;16, black 0 and white 65535: [height, width]."""
    grey = np.asarray(opened).astype(np.uint16)
    if _bits(opened) == _TWELVE:
        grey = np.bitwise_or(grey << np.uint16(4), grey >> np.uint16(8))
    return ~grey if _is_negative(opened) else grey


def strips(width: int, height: int) -> list[slice]:
    """Return the rows of an image in strips of a million pixels."""
    step = max(1, _AT_A_TIME // max(1, width))
    return [slice(top, top + step) for top in range(0, height, step)]


def _strip_to_rgb(strip: PIL.Image.Image, transform: ImageCms.ImageCmsTransform | None, white: float, negative: bool) -> Pixels:
    if strip.mode in ("I", "F") or strip.mode.startswith("I;16"):
        with np.errstate(all="ignore"):  # invalid numbers
            grey = np.nan_to_num(np.asarray(strip).astype(np.float32) * (255 / white), posinf=255, neginf=0).clip(0, 255)
        return np.stack([(255 - grey if negative else grey).astype(np.uint8)] * 3, axis=-1)
    if transform is not None:
        return np.asarray(ImageCms.applyTransform(strip, transform), np.uint8)
    if strip.mode == "La":  # grey premultiplied with its alpha: Pillow has one conversion from it
        strip = strip.convert("LA")
    if strip.has_transparency_data:
        picture = strip.convert("RGBA")
        strip = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(strip.convert("RGB"), np.uint8)


def _brightest(opened: PIL.Image.Image) -> float:
    """Return the value of white if the numbers are not bytes."""
    if opened.mode.startswith("I;16"):
        return 4080.0 if _bits(opened) == _TWELVE else 65280.0
    if opened.mode not in ("I", "F"):
        return 255.0
    most = max((float(value) for value in np.ravel(opened.getextrema()) if np.isfinite(value)), default=255.0)
    if opened.mode == "F" and 0 < most <= 1:
        return 1.0  # linear light, as programs compute with it
    return max(most, 255.0)


def _bits(opened: PIL.Image.Image) -> object:
    return getattr(opened, "tag_v2", {}).get(_BITS)


def _is_negative(opened: PIL.Image.Image) -> bool:
    """Return whether 0 is white in a TIFF whose numbers are not bytes. The decoder inverts bytes itself."""
    return bool(getattr(opened, "tag_v2", {}).get(_PHOTOMETRIC) == 0)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    if not (profile or mode == "LAB") or len(profile) > _LARGEST_PROFILE:
        return None
    try:
        source = ImageCms.createProfile("LAB") if mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
