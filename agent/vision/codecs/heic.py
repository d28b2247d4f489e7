"""Decodes HEIC, the photo format of phones. Its library is loaded with the first such photo."""

from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from agent.vision.codecs.colour import to_rgb
from agent.vision.codecs.decoded_image import DecodeLimits, Pixels
from agent.vision.codecs.file_bytes import FileBytes
from agent.vision.codecs.tiff import Exif, read_exif

if TYPE_CHECKING:
    from pi_heif import HeifFile


class _Held:
    """Exposes the main picture to NumPy, and keeps its memory alive: the library's own view releases it."""

    def __init__(self, opened: "HeifFile") -> None:
        self.opened = opened
        seen = np.asarray(opened)
        place = (seen.ctypes.data, False)  # writable: a copy of the largest photos takes 600 MB
        self.__array_interface__: dict[str, Any] = {"shape": seen.shape, "typestr": seen.dtype.str, "version": 3, "data": place}


def decode(data: FileBytes, limits: DecodeLimits) -> tuple[Pixels, Exif, bytes]:
    """Return the main picture and its colour profile. Raises ImageTooLarge, or what the decoder raises.

    It is upright whatever EXIF says: rotation is part of the format.
    """
    import pi_heif

    options = pi_heif.options
    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = limits.threads
    opened = pi_heif.open_heif(bytes(data))
    limits.check_whole(*opened.size)
    exif = read_exif((opened.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    profile = opened.info.get("icc_profile") or b""
    decoded = np.asarray(_Held(opened))
    # Not copied if it is RGB already: such photos are large.
    pixels = decoded if opened.mode == "RGB" else to_rgb(PIL.Image.fromarray(decoded), profile)
    return pixels, Exif(1, exif.taken_at), profile
