"""Writes formats with many pictures, one picture at a time: only the current one and the output are in memory."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Final

import numpy as np
import PIL.Image
from PIL import GifImagePlugin, TiffImagePlugin

from agent.domain.errors import ImageCorrupt
from agent.domain.redaction import Cover
from agent.inference.vision.animations.animation_reading import Film
from agent.inference.vision.codecs.boxes import boxes
from agent.inference.vision.codecs.colour import to_srgb
from agent.inference.vision.redacted import encoders, icc, png_copy, tiff_copy
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redacted.gif_copy import indexed
from agent.inference.vision.redacted.kept_metadata import KeptMetadata
from agent.inference.vision.redacted.metadata import PhotoMetadata
from agent.inference.vision.redactor import covered

_GIF_PART: Final = 255  # bytes of a comment per block
_CLEAR: Final = 2  # a GIF frame's disposal before the next one: clear; otherwise it stays
_FOR_EVER: Final = 0
_LONGEST: Final = 65_535  # a PNG's numbers have 16 bits


@dataclass(slots=True)
class DrawnFrames:
    """A frame with its covers drawn."""

    canvas: Canvas
    ms: float
    covers: list[Cover]


def write_gif(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, _: PhotoMetadata) -> None:
    """Write a GIF; each frame has its own palette."""
    output.write(b"GIF89a" + struct.pack("<HHBBB", film.width, film.height, 0x70, 0, 0))
    if film.loop is not None:
        output.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", min(film.loop, 0xFFFF), 0))
    if comment := kept.comment.encode("utf-8", "replace"):
        parts = [comment[at : at + _GIF_PART] for at in range(0, len(comment), _GIF_PART)]
        output.write(b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0")
    last: tuple[PIL.Image.Image, float] | None = None
    for frame in drawn:
        picture = _gif_picture(frame)
        if last is not None:
            _gif_frame(output, *last, clears="transparency" in picture.info)
        last = picture, frame.ms
    if last is not None:
        _gif_frame(output, *last, clears="transparency" in last[0].info)
    output.write(b"\x3b")


def write_png(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, _: PhotoMetadata) -> None:
    """Write an APNG with alpha throughout, with eight bits."""
    turn, animated = 0, len(film.numbers) - film.default
    for number, frame in enumerate(drawn):
        encoded = png_copy.encode_part(frame.canvas.ordered("BGR"), frame.canvas.alpha)
        pieces = dict.fromkeys((b"IHDR", b"IDAT"), b"")
        for kind, body in png_copy.chunks_of(encoded):
            pieces[kind] = pieces.get(kind, b"") + body
        if number == 0:
            output.write(encoded[:8] + png_copy.chunk(b"IHDR", pieces[b"IHDR"]))
            output.write(png_copy.chunk(b"acTL", struct.pack(">LL", animated, film.loop or 0)) + b"".join(png_copy.chunks(kept)))
        if not (film.default and number == 0):
            width, height = frame.canvas.width, frame.canvas.height
            output.write(png_copy.chunk(b"fcTL", struct.pack(">LLLLLHHBB", turn, width, height, 0, 0, *_share(frame.ms), 0, 0)))
            turn += 1
        if number == 0:
            output.write(png_copy.chunk(b"IDAT", pieces[b"IDAT"]))
        else:
            output.write(png_copy.chunk(b"fdAT", struct.pack(">L", turn) + pieces[b"IDAT"]))
            turn += 1
    output.write(png_copy.chunk(b"IEND", b""))


def write_webp(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, notes: PhotoMetadata) -> None:
    how: dict[str, Any] = {"lossless": True, "quality": 50} if notes.lossless else {"quality": encoders.LOSSY}
    _by_reel(output, "WEBP", film, drawn, kept, method=2, loop=_FOR_EVER if film.loop is None else film.loop, **how)


def write_avif(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, notes: PhotoMetadata) -> None:
    _by_reel(output, "AVIF", film, drawn, kept, **encoders.avif_options(notes))


def write_tiff(output: BinaryIO, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, notes: PhotoMetadata) -> None:
    """Write a TIFF, each page with its own size and colour profile; the picture's metadata is on the first."""
    whole = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(whole, new=True) as writer:
        for number, page in enumerate(drawn):
            if page.canvas.deep and page.canvas.colours.shape[2] == 3:
                page.canvas.to_8bit()
            options = encoders.tiff_options(kept if number == 0 else KeptMetadata(), notes)
            if profile := icc.cleaned(page.canvas.profile):
                options["icc_profile"] = profile
            encoders.picture(page.canvas).save(writer, "TIFF", **options)
            writer.newFrame()
    tiff_copy.add_directories(whole, kept.exif)
    output.write(whole.getbuffer())


class _FrameWriter(PIL.Image.Image):
    """An object that Pillow accepts as a multi-frame image; each frame is created on request, and released with the next one."""

    def __init__(self, drawn: Iterator[DrawnFrames], count: int, times: list[int]) -> None:
        super().__init__()
        self._drawn, self._times, self.n_frames, self.is_animated, self._at = drawn, times, count, True, -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame >= self.n_frames:
            raise EOFError
        if frame <= self._at:
            return
        if (drawn := next(self._drawn, None)) is None:
            raise ImageCorrupt
        self._times.append(round(drawn.ms))
        picture = encoders.picture(drawn.canvas)
        self.im, self._mode, self._size = picture.im, picture.mode, picture.size
        self._at = frame

    def tell(self) -> int:
        return 0


def _by_reel(output: BinaryIO, name: str, film: Film, drawn: Iterator[DrawnFrames], kept: KeptMetadata, **options: Any) -> None:
    times: list[int] = []
    told = {key: value for key, value in (("exif", kept.exif), ("xmp", kept.xmp), ("icc_profile", kept.profile)) if value}
    whole = io.BytesIO()
    _FrameWriter(drawn, len(film.numbers), times).save(whole, name, save_all=True, duration=times, **told, **options)
    output.write(timeless(whole.getvalue()) if name == "AVIF" else whole.getbuffer())


def _gif_picture(frame: DrawnFrames) -> PIL.Image.Image:
    canvas = frame.canvas
    pixels = np.asarray(canvas.ordered("RGB"), np.uint8)
    if (convert := to_srgb(canvas.profile)) is not None:
        convert(pixels)
    clear = canvas.alpha if canvas.alpha is not None and canvas.alpha.min() < 128 else None
    mask = covered(frame.covers, canvas.width, canvas.height)
    picture = indexed(pixels, clear, mask)
    if frame.covers:
        pixels[mask] = np.asarray(picture.convert("RGB"))[mask]
    return picture


def _gif_frame(output: BinaryIO, picture: PIL.Image.Image, ms: float, *, clears: bool) -> None:
    how: dict[str, Any] = {"duration": ms, "disposal": _CLEAR if clears else 1, "include_color_table": True}
    if "transparency" in picture.info:
        how["transparency"] = picture.info["transparency"]
    parts = GifImagePlugin.getdata(picture, (0, 0), **how)
    output.writelines(parts)
    parts.clear()  # a class created for each call holds them, and classes are garbage-collected late


def _share(ms: float) -> tuple[int, int]:
    """Return a fraction of a second as two numbers: a sixtieth stays exact."""
    seconds = max(0.0, ms) / 1000
    share = Fraction(seconds).limit_denominator(1000)
    if share.numerator > _LONGEST:
        share = Fraction(min(round(seconds), _LONGEST))
    return share.numerator, share.denominator


# -- Removes the creation time from an animated AVIF: its encoder stores it in each track, so two copies of one original would differ
_HEAD: Final = 8  # bytes of a box before its content
_HOLDERS: Final = frozenset({b"moov", b"trak", b"mdia"})
_TIMED: Final = frozenset({b"mvhd", b"tkhd", b"mdhd"})


def timeless(data: bytes) -> bytes:
    """Return the same file with all times at zero. `data` was written here."""
    changed = bytearray(data)
    for at in _timed(data, 0, len(data)):
        size = 16 if data[at] == 1 else 8  # by its version: two times, created and modified
        changed[at + 4 : at + 4 + size] = bytes(size)
    return bytes(changed)


def _timed(data: bytes, start: int, end: int) -> Iterator[int]:
    """Yield where the content of each box with times begins."""
    at = start
    for kind, last in boxes(data[start:end]):
        if kind in _TIMED:
            yield at + _HEAD
        elif kind in _HOLDERS:
            yield from _timed(data, at + _HEAD, start + last)
        at = start + last
