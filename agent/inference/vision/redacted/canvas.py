"""A picture decoded for re-encoding: in its own bit depth and colours, upright, with a separate alpha plane."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.inference.vision.codecs import DecodeLimits, heic, jpeg, pillow, raw
from agent.inference.vision.codecs.colour import sixteen_bits, strips, to_rgb
from agent.inference.vision.codecs.decode import turn
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.codecs.tiff import Exif
from agent.inference.vision.redacted.metadata import PhotoMetadata, of_heic, of_jpeg, of_opened
from agent.inference.vision.redactor import Colours

# So small an alpha is invisible, and no face is found in it: programs that cut people out leave more than zero around them.
_FAINTEST: Final = 64
# uint8 or uint16, [height, width].
Plane: TypeAlias = NDArray[Any]

_EIGHT, _SIXTEEN = 8, 16  # bits of a number
# Depth and type of grey PNGs with four or sixteen greys, and Pillow's scale factor; it reads the transparent one unscaled.
_FEW_GREYS: Final = {b"\x02\x00": 85, b"\x04\x00": 17}


@dataclass(slots=True)
class Canvas:
    """`colours` may be changed in place."""

    colours: Colours  # [height, width, 1 or 3], upright, contiguous
    alpha: Plane | None  # of the same depth; where nothing is visible the colours are 0
    profile: bytes  # ICC, of the numbers as they are; empty for sRGB
    order: str = "RGB"  # of the three channels
    lost: set[str] = field(default_factory=set)  # kinds that were lost since decoding

    @property
    def width(self) -> int:
        return int(self.colours.shape[1])

    @property
    def height(self) -> int:
        return int(self.colours.shape[0])

    @property
    def deep(self) -> bool:
        """Return whether it has more than eight bits."""
        return self.colours.dtype != np.uint8

    def ordered(self, order: str) -> Colours:
        """Return the colours, their channels reordered in place."""
        if self.colours.shape[2] == 3 and self.order != order:
            for rows in strips(self.width, self.height):
                self.colours[rows] = self.colours[rows, :, ::-1].copy()
            self.order = order
        return self.colours

    def to_8bit(self) -> None:
        """Reduce to eight bits."""
        if self.deep:
            self.colours = (self.colours >> 8).astype(np.uint8)
            self.alpha = None if self.alpha is None else (self.alpha >> 8).astype(np.uint8)
            self.lost.add("depth")

    def flatten_alpha(self) -> None:
        """Blend with white, for formats without transparency."""
        if self.alpha is None:
            return
        white = np.iinfo(self.colours.dtype).max
        if int(self.alpha.min()) < white:
            self.lost.add("alpha")
        for rows in strips(self.width, self.height):
            weight = self.alpha[rows, :, None].astype(np.float32) / white
            self.colours[rows] = np.rint(white + (self.colours[rows] - np.float32(white)) * weight).astype(self.colours.dtype)
        self.alpha = None

    def threshold_alpha(self) -> None:
        """Make each pixel either visible or not, for formats without partial transparency."""
        if self.alpha is None:
            return
        white = np.iinfo(self.alpha.dtype).max
        if bool(((self.alpha > 0) & (self.alpha < white)).any()):
            self.lost.add("alpha")
        self.alpha = np.where(self.alpha > white // 2, white, 0).astype(self.alpha.dtype)


def open_canvas(data: FileBytes, name: str, limits: DecodeLimits) -> tuple[Canvas, PhotoMetadata]:
    """Return the first picture of a file, and its metadata. Raises ImageError, or any error of the decoder."""
    match name:
        case "jpeg":
            header = jpeg.read_header(data)
            return _jpeg(data, header, header.exif, limits)
        case "raw":
            preview, header = raw.find_preview(data)
            return _jpeg(preview, header, raw.read_notes(data, header.exif), limits)
        case "heic":
            pixels, _, profile = heic.decode(data, limits)
            return Canvas(np.require(pixels, requirements=["C", "W"]), None, profile), of_heic(data)
    opened = pillow.open_checked(data, name, limits)
    if name == "png" and data[24:26] in _FEW_GREYS and "transparency" in opened.info:
        opened.info["transparency"] *= _FEW_GREYS[data[24:26]]
    bits = pillow.bits_of(opened, data, name)
    pillow.load(opened, name)
    notes, exif = of_opened(opened, data, name), pillow.exif_read(opened, data, name)
    deep = sixteen_bit_colours(opened, data, name) if bits == _SIXTEEN else None
    canvas = of_pillow(opened, notes.profile) if deep is None else Canvas(*deep, notes.profile, "BGR")
    if bits > _EIGHT and not canvas.deep:
        notes.left.add("depth")
    return upright(canvas, exif), notes


def _jpeg(data: FileBytes, header: jpeg.Header, exif: Exif, limits: DecodeLimits) -> tuple[Canvas, PhotoMetadata]:
    if header.components == 4:
        jpeg.check(header, limits)
        canvas = Canvas(pillow.decode_ink(data, 1, limits), None, b"")
    else:
        canvas = Canvas(jpeg.decode_to_copy(data, header, limits), None, header.profile, "BGR")
    return upright(canvas, exif), of_jpeg(data)


def upright(canvas: Canvas, exif: Exif) -> Canvas:
    canvas.colours = np.require(turn(canvas.colours, exif.orientation), requirements=["C", "W"])
    if canvas.alpha is not None:
        canvas.alpha = np.require(turn(canvas.alpha, exif.orientation), requirements=["C", "W"])
        unseen = np.iinfo(canvas.alpha.dtype).max // _FAINTEST
        canvas.colours[canvas.alpha <= unseen] = 0  # an invisible area may contain a face
    return canvas


def of_pillow(opened: PIL.Image.Image, profile: bytes) -> Canvas:
    mode = opened.mode
    if mode.startswith("I;16"):
        grey, clear_grey = sixteen_bits(opened), opened.info.get("transparency")
        seen = None if clear_grey is None else np.where(grey == clear_grey, 0, 65535).astype(np.uint16)
        return Canvas(grey[:, :, None], seen, profile)
    clear = opened.has_transparency_data
    if mode in ("1", "L", "LA"):
        plain, channels = ("LA", 1) if clear else ("L", 1)
    elif mode in ("RGB", "RGBA", "P", "PA"):
        plain, channels = ("RGBA", 3) if clear else ("RGB", 3)
    else:  # inks, and numbers that are not bytes: no viewer shows them unchanged
        return Canvas(to_rgb(opened, profile), None, b"")
    colours = np.empty((opened.height, opened.width, channels), np.uint8)
    alpha = np.empty((opened.height, opened.width), np.uint8) if clear else None
    for rows in strips(opened.width, opened.height):
        strip = np.asarray(opened.crop((0, rows.start, opened.width, min(rows.stop, opened.height))).convert(plain))
        strip = strip.reshape(*strip.shape[:2], -1)
        colours[rows] = strip[:, :, :channels]
        if alpha is not None:
            alpha[rows] = strip[:, :, -1]
    return Canvas(colours, alpha, profile)


# -- Decodes colours with sixteen bits, of which Pillow keeps eight: with OpenCV, if Pillow sees the same picture ------------------
_GREY_PNG: Final = (b"\x00", b"\x04")  # colour types: grey, without alpha and with it
_BITS, _PHOTOMETRIC, _PLANAR, _EXTRA, _SAMPLES = 258, 262, 284, 338, 339  # a TIFF's tags
_RGB, _TOGETHER, _WHOLE_NUMBERS, _UNMULTIPLIED = 2, 1, 1, 2


def sixteen_bit_colours(opened: PIL.Image.Image, data: FileBytes, name: str) -> tuple[Colours, NDArray[np.uint16] | None] | None:
    """Return colours, blue first, and alpha; None without such a picture, or if the decoders disagree.

    `opened` is loaded. OpenCV takes planes for pixels, and leaves memory uninitialised if a file has less than it expects.
    """
    if not (_is_deep_png(data) if name == "png" else name == "tiff" and _is_deep_tiff(opened)):
        return None
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.dtype != np.uint16 or decoded.ndim != 3 or decoded.shape[:2] != (opened.height, opened.width):
        return None
    grey = name == "png" and data[25:26] in _GREY_PNG
    colours = np.ascontiguousarray(decoded[:, :, : 1 if grey else 3]).astype(np.uint16, copy=False)
    if not _agree(colours, opened):
        return None
    return colours, np.ascontiguousarray(decoded[:, :, 3]).astype(np.uint16, copy=False) if decoded.shape[2] == 4 else None


def _is_deep_png(data: FileBytes) -> bool:
    return data[24:25] == b"\x10"


def _is_deep_tiff(opened: PIL.Image.Image) -> bool:
    tags = getattr(opened, "tag_v2", {})
    return (
        tags.get(_BITS) in ((16,) * 3, (16,) * 4)
        and tags.get(_PHOTOMETRIC) == _RGB
        and tags.get(_PLANAR, _TOGETHER) == _TOGETHER
        and set(tags.get(_SAMPLES, (_WHOLE_NUMBERS,))) == {_WHOLE_NUMBERS}
        and tags.get(_EXTRA, ()) in ((), (_UNMULTIPLIED,))
    )


def _agree(colours: Colours, opened: PIL.Image.Image) -> bool:
    """Return whether the higher eight bits match Pillow's result, in which faces were detected."""
    for rows in strips(opened.width, opened.height):
        strip = np.asarray(opened.crop((0, rows.start, opened.width, min(rows.stop, opened.height))))
        seen = strip.reshape(*strip.shape[:2], -1)[:, :, : colours.shape[2]]
        ours = colours[rows] if seen.dtype == np.uint16 else colours[rows] >> 8
        if not np.array_equal(ours[:, :, ::-1], seen):
            return False
    return True
