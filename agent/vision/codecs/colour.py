"""Colours as screens show them: whatever a file means by its numbers becomes sRGB, eight bits each."""

import io
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import PIL.Image
from PIL import ImageCms

from agent.vision.codecs.image import Pixels

_AT_A_TIME: Final = 1_000_000  # pixels: what is needed beside the picture stays small
_LARGEST_PROFILE: Final = 4_000_000  # bytes
_S_RGB: Final = (b"sRGB", "sRGB".encode("utf-16-be"))


class Colour:
    """What an ICC profile says of numbers of a mode ("RGB", "CMYK", "LAB"). One that can't be used says nothing."""

    def __init__(self, profile: bytes | None, mode: str) -> None:
        self._profile = profile or b""
        self._mode = mode

    @cached_property
    def transform(self) -> ImageCms.ImageCmsTransform | None:
        """The way to sRGB; None if the numbers may stay."""
        if self._mode == "LAB":
            return _transform(b"", "LAB")
        if not self._profile or len(self._profile) > _LARGEST_PROFILE or self._mode not in ("RGB", "CMYK"):
            return None
        if self._mode == "RGB" and any(name in self._profile for name in _S_RGB):
            return None  # most pictures
        return _transform(self._profile, self._mode)

    def to_srgb(self, pixels: Pixels) -> None:
        """Change RGB pixels where they lie."""
        if self.transform is not None:
            for rows in strips(pixels.shape[1], pixels.shape[0]):
                strip = PIL.Image.fromarray(pixels[rows])
                pixels[rows] = np.asarray(ImageCms.applyTransform(strip, self.transform))


def to_rgb(opened: PIL.Image.Image, profile: bytes | None) -> Pixels:
    """Any of Pillow's modes as 8-bit RGB; what is transparent becomes white."""
    out = np.empty((opened.height, opened.width, 3), np.uint8)
    colour = Colour(profile, "RGB" if opened.mode in ("RGBA", "RGBX", "P", "PA") else opened.mode)
    white = _brightest(opened)
    for rows in strips(opened.width, opened.height):
        strip = opened.crop((0, rows.start, opened.width, min(rows.stop, opened.height)))
        out[rows] = _strip_to_rgb(strip, colour, white)
    return out


def strips(width: int, height: int) -> list[slice]:
    """The rows of an image, a million pixels at a time."""
    step = max(1, _AT_A_TIME // max(1, width))
    return [slice(top, top + step) for top in range(0, height, step)]


def _strip_to_rgb(strip: PIL.Image.Image, colour: Colour, white: float) -> Pixels:
    if strip.mode in ("I", "F") or strip.mode.startswith("I;16"):
        with np.errstate(all="ignore"):  # numbers that are none
            grey = np.nan_to_num(np.asarray(strip).astype(np.float32) * (255 / white), posinf=255, neginf=0).clip(0, 255)
        return np.stack([grey.astype(np.uint8)] * 3, axis=-1)
    if strip.mode in ("CMYK", "LAB") and colour.transform is not None:
        converted = ImageCms.applyTransform(strip, colour.transform)
        return np.asarray(converted, np.uint8)
    if strip.has_transparency_data:
        picture = strip.convert("RGBA")
        strip = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)
    pixels = np.array(strip.convert("RGB"), np.uint8)
    colour.to_srgb(pixels)
    return pixels


def _brightest(opened: PIL.Image.Image) -> float:
    """What stands for white where the numbers are no bytes."""
    if opened.mode.startswith("I;16"):
        return 65280.0
    if opened.mode not in ("I", "F"):
        return 255.0
    most = max((value for value in np.ravel(opened.getextrema()) if np.isfinite(value)), default=255.0)
    return max(float(most), 255.0)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.createProfile("LAB") if mode == "LAB" else ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
