"""HEIC, the photos of phones. Its library is loaded when the first one comes."""

import numpy as np
import PIL.Image

from agent.vision.codecs.colour import Colour, to_rgb
from agent.vision.codecs.image import Limits, Pixels
from agent.vision.codecs.tiff import Exif, read_exif


def decode(data: bytes, limits: Limits) -> tuple[Pixels, Exif]:
    """The main picture, upright: turning is part of the format, whatever EXIF says. Raises ImageTooLarge, or what the decoder raises."""
    import pi_heif

    options = pi_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = limits.threads
    opened = pi_heif.open_heif(data)
    limits.check_pixels(*opened.size)
    exif = read_exif((opened.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    return _pixels(np.asarray(opened), opened.mode, opened.info.get("icc_profile")), Exif(1, exif.taken_at)


def _pixels(decoded: Pixels, mode: str, profile: bytes | None) -> Pixels:
    """As RGB; copied only if it is not that already, for such photos are large."""
    if mode != "RGB":
        return to_rgb(PIL.Image.fromarray(decoded), profile)
    colour = Colour(profile, "RGB")
    if colour.transform is None:
        return decoded
    pixels = decoded.copy()
    colour.to_srgb(pixels)
    return pixels
