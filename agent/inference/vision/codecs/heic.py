"""Decodes HEIC, the photo format of phones. Its library is loaded with the first such photo."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image

from agent.inference.vision.codecs.boxes import inside
from agent.inference.vision.codecs.colour import to_rgb
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.codecs.tiff import Exif, read_exif

if TYPE_CHECKING:
    from pi_heif import HeifFile


class _Held:
    """Exposes the main picture to NumPy, and keeps its memory alive: the library's own view releases it."""

    def __init__(self, opened: "HeifFile") -> None:
        self.opened = opened
        seen = np.asarray(opened)
        place = (seen.ctypes.data, False)  # writable: a copy of the largest photos takes 600 MB
        self.__array_interface__: dict[str, Any] = {"shape": seen.shape, "typestr": seen.dtype.str, "version": 3, "data": place}


def open_file(data: FileBytes) -> "HeifFile":
    """Read a file's header. Raises what the decoder raises, and ValueError for an item whose kind is no text: the decoder would crash."""
    import pi_heif

    for kind in _kinds_of_items(data):
        kind.decode()
    return pi_heif.open_heif(bytes(data))


def _kinds_of_items(data: FileBytes) -> Iterator[bytes]:
    """Yield what the header says about the kinds of items: four letters, or a media type."""
    for meta in inside(data, b"meta"):
        for items in inside(meta[4:], b"iinf"):
            for item in inside(items[6 if items[:1] == b"\0" else 8 :], b"infe"):
                rest = item[10 if item[:1] == b"\3" else 8 :]
                if item[:1] >= b"\2":
                    yield rest[:4]
                    rest = rest[4:]
                yield from rest.split(b"\0")[1:2]


def decode(data: FileBytes, limits: DecodeLimits) -> tuple[Pixels, Exif, bytes]:
    """Return the main picture and its colour profile. Raises ImageTooLarge, or what the decoder raises.

    It is upright whatever EXIF says: rotation is part of the format.
    """
    from pi_heif import options

    options.THUMBNAILS = options.DEPTH_IMAGES = options.AUX_IMAGES = False
    options.DECODE_THREADS = limits.threads
    opened = open_file(data)
    limits.check_whole(*opened.size)
    exif = read_exif((opened.info.get("exif") or b"").removeprefix(b"Exif\0\0"))
    profile = opened.info.get("icc_profile") or b""
    decoded = np.asarray(_Held(opened))
    # Not copied if it is RGB already: such photos are large.
    pixels = decoded if opened.mode == "RGB" else to_rgb(PIL.Image.fromarray(decoded), profile)
    return pixels, Exif(1, exif.taken_at), profile
