"""Chooses a copy's format and encodes it."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import PIL.Image

from agent.domain.errors import CopyUnsupported
from agent.domain.redaction import Cover
from agent.inference.vision.codecs.colour import to_srgb
from agent.inference.vision.redacted import gif_copy, jpeg_copy, png_copy, tiff_copy
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redacted.exif import lettered
from agent.inference.vision.redacted.jpeg_copy import JpegCoding
from agent.inference.vision.redacted.kept_metadata import KeptMetadata
from agent.inference.vision.redacted.metadata import PhotoMetadata

FORMATS: Final = frozenset({"jpeg", "png", "webp", "tiff", "bmp", "gif", "avif"})
# Readable formats that can't be written.
_INSTEAD: Final = {"heic": "jpeg", "raw": "jpeg"}
_TIFF_KEPT: Final = ("raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "tiff_deflate")
_XMP: Final = 700  # a TIFF's tag
_WEBP_SIDE: Final = 16_383
LOSSY: Final = 90  # if the file does not state its quality


def format_of(name: str, asked: str | None, canvas: Canvas) -> str:
    """Return the copy's format. Raises CopyUnsupported."""
    chosen = asked or _INSTEAD.get(name, name)
    if chosen not in FORMATS:
        raise CopyUnsupported(format=chosen)
    if asked is None and chosen == "tiff" and canvas.deep and canvas.colours.shape[2] == 3:
        return "png"  # the one format that is written with sixteen bits of colour
    return chosen


def plain_colours(canvas: Canvas, name: str) -> None:
    """Convert to sRGB if the format has no colour profile: before parts are kept or covers drawn."""
    if name in ("bmp", "gif") and canvas.colours.shape[2] == 3 and (convert := to_srgb(canvas.profile)) is not None:
        canvas.to_8bit()
        convert(np.asarray(canvas.ordered("RGB"), np.uint8))
        canvas.profile = b""


def encode(canvas: Canvas, name: str, kept: KeptMetadata, notes: PhotoMetadata, covers: Sequence[Cover]) -> tuple[bytes, KeptMetadata]:
    """Return the copy, and the metadata it could keep. Raises CopyUnsupported for sizes beyond the format's limits.

    `canvas` is changed to what was encoded.
    """
    if name == "png":
        return png_copy.encode(canvas, kept.without("comment")), kept.without("comment")
    if canvas.deep and not (name == "tiff" and canvas.colours.shape[2] == 1 and canvas.alpha is None):
        canvas.to_8bit()
    if name in ("jpeg", "bmp"):
        canvas.flatten_alpha()
    elif name == "gif":
        canvas.threshold_alpha()
    kept = kept.without(*LACKING.get(name, ())).noting(*canvas.lost)
    if name == "jpeg":
        kept = kept.without(*(part for part in ("exif", "xmp") if len(getattr(kept, part)) > jpeg_copy.LARGEST_PART))
        coding = jpeg_copy.coding_of(notes.coded) if notes.coded else JpegCoding()
        return jpeg_copy.encode(np.asarray(canvas.ordered("BGR"), np.uint8), coding, kept), kept
    if name == "gif":
        return gif_copy.encode_still(canvas, covers, kept.comment), kept
    return _by_pillow(canvas, name, kept, notes), kept


def is_exact(name: str, notes: PhotoMetadata) -> bool:
    """Return whether every number of a copy equals the canvas."""
    return name in ("png", "bmp", "tiff") or (name == "webp" and notes.lossless)


# What a format can't store.
LACKING: Final[Mapping[str, tuple[str, ...]]] = {
    "jpeg": ("texts",),
    "webp": ("texts", "comment"),
    "tiff": ("texts", "comment"),
    "avif": ("texts", "comment"),
    "bmp": ("texts", "comment", "exif", "xmp"),
    "gif": ("texts", "exif", "xmp"),
}


def _by_pillow(canvas: Canvas, name: str, kept: KeptMetadata, notes: PhotoMetadata) -> bytes:
    options = _OPTIONS[name](canvas, kept, notes)
    if kept.profile and name != "bmp":
        options["icc_profile"] = kept.profile
    out = io.BytesIO()
    picture(canvas).save(out, name.upper(), **options)
    if name == "tiff":
        tiff_copy.add_directories(out, kept.exif)
    return out.getvalue()


def picture(canvas: Canvas) -> PIL.Image.Image:
    colours, alpha = canvas.ordered("RGB"), canvas.alpha
    plain = colours[:, :, 0] if colours.shape[2] == 1 else colours
    if alpha is None:
        return PIL.Image.fromarray(plain)
    return PIL.Image.fromarray(np.dstack([plain, alpha]))


def _webp(canvas: Canvas, kept: KeptMetadata, notes: PhotoMetadata) -> dict[str, Any]:
    if max(canvas.width, canvas.height) > _WEBP_SIDE:
        raise CopyUnsupported(format="webp")
    how = {"lossless": True, "quality": 50, "exact": True} if notes.lossless else {"quality": LOSSY}
    return {**how, "method": 4, **_told(kept)}


def _tiff(canvas: Canvas, kept: KeptMetadata, notes: PhotoMetadata) -> dict[str, Any]:
    return tiff_options(kept, notes)


def tiff_options(kept: KeptMetadata, notes: PhotoMetadata) -> dict[str, Any]:
    """Return the options for one page. EXIF's own directories are added after writing."""
    options: dict[str, Any] = {"compression": notes.compression if notes.compression in _TIFF_KEPT else "tiff_adobe_deflate"}
    if kept.exif or kept.xmp:
        told = PIL.Image.Exif()
        told.load(kept.exif)
        for tag in tiff_copy.DIRECTORIES:
            told.pop(tag, None)
        told.update(lettered(told.items()))
        if kept.xmp:
            told[_XMP] = kept.xmp
        options["exif"] = told
    return options


def _avif(canvas: Canvas, kept: KeptMetadata, notes: PhotoMetadata) -> dict[str, Any]:
    return {**avif_options(notes), **_told(kept)}


def avif_options(notes: PhotoMetadata) -> dict[str, Any]:
    """Return the options; the encoder supports only eight bits."""
    return {"quality": LOSSY, "speed": 8, "max_threads": 1, "subsampling": notes.sampling or "4:2:0"}


def _bmp(canvas: Canvas, kept: KeptMetadata, notes: PhotoMetadata) -> dict[str, Any]:
    return {}


_OPTIONS: Final[Mapping[str, Callable[[Canvas, KeptMetadata, PhotoMetadata], dict[str, Any]]]] = {
    "webp": _webp,
    "tiff": _tiff,
    "avif": _avif,
    "bmp": _bmp,
}


def _told(kept: KeptMetadata) -> dict[str, Any]:
    return {name: value for name, value in (("exif", kept.exif), ("xmp", kept.xmp)) if value}
