"""Checks a copy before it counts as done: covered areas are flat, and another decoder reads what was drawn."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import CopyUnproven
from agent.domain.redaction import Cover
from agent.inference.vision.codecs import DecodeLimits, Pixels, pillow
from agent.inference.vision.codecs.colour import strips
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redacted.cover_check import is_flat
from agent.inference.vision.redactor import area_of

# OpenCV writes these, so Pillow reads them. GIF has no other reader, and AVIF none in the packages and on Windows.
_BY_PILLOW: Final = frozenset({"png", "jpeg", "gif", "avif"})
_BLOCK: Final = 16  # pixels: the mean of such a square block survives the coarsest coding
# Of 255. Coding at the lowest quality shifts such a mean by 18, and the pixels of a small cover by 44, root mean square (measured).
MOST_OFF, MOST_OFF_COVERED = 40.0, 64.0

# Pixels: a larger JPEG is checked at half its size, in half the time.
HALF: Final = 4e6

Plain = NDArray[Any]


def check_drawn(canvas: Canvas, covers: Sequence[Cover]) -> None:
    """Check the canvas right after the covers were drawn. Raises CopyUnproven."""
    if not is_flat(canvas.colours, covers, order=canvas.order):
        raise CopyUnproven
    if canvas.alpha is not None:
        for cover in covers:
            if (area := area_of(cover, canvas.width, canvas.height)) is not None:
                for rows, columns, inside in area.masks():
                    if (canvas.alpha[rows, columns][inside] != np.iinfo(canvas.alpha.dtype).max).any():
                        raise CopyUnproven


def check_written(data: bytes, name: str, canvas: Canvas, covers: Sequence[Cover], limits: DecodeLimits, *, exact: bool) -> None:
    """Check a copy; `canvas` is what was encoded. Raises CopyUnproven."""
    with readable():
        if name == "jpeg" and canvas.width * canvas.height > HALF:
            _check_half(data, canvas, limits)
            return
        off = _Off(canvas, covers)
        for rows, shown in _decoded(data, name, canvas, limits):
            meant = _meant(canvas, rows, shown.dtype)
            if shown.shape != meant.shape or (exact and not np.array_equal(shown, meant)):
                raise CopyUnproven
            if not exact:
                off.take(rows, shown, meant)
        off.check()


def _check_half(data: bytes, canvas: Canvas, limits: DecodeLimits) -> None:
    """Check a large JPEG at half its size: at full size, it would set the engine's memory peak. Raises CopyUnproven."""
    opened = pillow.open_checked(data, "jpeg", limits)
    if opened.size != (canvas.width, canvas.height):
        raise CopyUnproven
    mode = "RGB" if _channels(canvas) == 3 else "L"
    opened.draft(mode, (canvas.width // 2, canvas.height // 2))
    width = canvas.width // 2
    for rows in strips(width, canvas.height // 2):
        last = min(rows.stop, canvas.height // 2)
        shown = np.asarray(opened.crop((0, rows.start, width, last)))
        meant = cv2.resize(
            _meant(canvas, slice(2 * rows.start, 2 * last), np.uint8)[:, : 2 * width], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
        )
        one, other = (block_means(each.reshape(*each.shape[:2], -1), _BLOCK // 2) for each in (shown, meant))
        if one.shape != other.shape or float(np.abs(one - other).max()) > MOST_OFF:
            raise CopyUnproven


@contextmanager
def readable() -> Iterator[None]:
    """Treat an unreadable copy as unproven. Raises CopyUnproven."""
    try:
        yield
    except (CopyUnproven, MemoryError):
        raise
    except Exception as error:  # decoders raise anything for broken bytes
        raise CopyUnproven from error


class _Off:
    """The error of a lossy copy."""

    def __init__(self, canvas: Canvas, covers: Sequence[Cover]) -> None:
        areas = (area_of(cover, canvas.width, canvas.height) for cover in covers)
        self._areas = [area for area in areas if area is not None]
        self._squares, self._counts = np.zeros(len(self._areas)), np.zeros(len(self._areas))

    def take(self, rows: slice, shown: Plain, meant: Plain) -> None:
        """Compare some rows of both. Raises CopyUnproven."""
        if float(np.abs(block_means(shown) - block_means(meant)).max()) > MOST_OFF:
            raise CopyUnproven
        for number, area in enumerate(self._areas):
            for place, columns, inside in area.masks(rows):
                here = slice(place.start - rows.start, place.stop - rows.start)
                off = np.subtract(shown[here, columns], meant[here, columns], dtype=np.float32)[inside]
                self._squares[number] += float((off * off).sum())
                self._counts[number] += off.size

    def check(self) -> None:
        """Check the total. Raises CopyUnproven."""
        if (self._squares > MOST_OFF_COVERED**2 * self._counts).any():
            raise CopyUnproven


def block_means(picture: Plain, side: int = _BLOCK) -> NDArray[np.float32]:
    """Return block means of an 8-bit picture with or without alpha: its coarse look on black."""
    picture = _on_black(picture)
    height, width = (max(1, length // side) for length in picture.shape[:2])
    tall, wide = min(picture.shape[0], height * side), min(picture.shape[1], width * side)
    # Whole blocks are averaged ten times as fast, so the remainder at two sides is added to the last of them.
    parts = (picture[:tall, :wide], picture[-tall:, -wide:])
    return np.stack([cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA).reshape(height, -1) for part in parts]).astype(
        np.float32
    )


def _red_first(picture: Plain) -> Plain:
    """Reorder a picture of one, three or four channels, blue first."""
    way = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}.get(picture.shape[2])
    return picture if way is None else cv2.cvtColor(picture, way)


def _decoded(data: bytes, name: str, canvas: Canvas, limits: DecodeLimits) -> Iterator[tuple[slice, Plain]]:
    """Yield some rows at a time: [rows, width, 1 or 3, and 1 for alpha], red first."""
    if name in _BY_PILLOW or (name == "tiff" and canvas.alpha is not None):  # OpenCV multiplies a TIFF's colours with its alpha
        yield from _by_pillow(data, name, canvas, limits)
        return
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if decoded is None or decoded.shape[:2] != (canvas.height, canvas.width):
        raise CopyUnproven
    for rows in strips(canvas.width, canvas.height):
        shown = decoded[rows].reshape(-1, canvas.width, decoded.shape[2] if decoded.ndim == 3 else 1)
        yield rows, _as_many(_red_first(shown), canvas)


def _by_pillow(data: bytes, name: str, canvas: Canvas, limits: DecodeLimits) -> Iterator[tuple[slice, Plain]]:
    opened = pillow.open_checked(data, name, limits)
    if opened.size != (canvas.width, canvas.height):
        raise CopyUnproven
    opened.load()
    mode = (
        opened.mode
        if opened.mode.startswith("I;16")
        else ("L", "RGB", "LA", "RGBA")[(_channels(canvas) == 3) + 2 * (canvas.alpha is not None)]
    )
    for rows in strips(canvas.width, canvas.height):
        strip = opened.crop((0, rows.start, canvas.width, min(rows.stop, canvas.height)))
        shown = np.asarray(strip if strip.mode == mode else strip.convert(mode))
        yield rows, shown.reshape(*shown.shape[:2], -1)


def _channels(canvas: Canvas) -> int:
    return int(canvas.colours.shape[2])


def _as_many(shown: Plain, canvas: Canvas) -> Plain:
    """Give the picture as many channels as the canvas: some formats have no grey, and opaque pictures need no alpha."""
    colours, alpha = (shown[:, :, :3], shown[:, :, 3:]) if shown.shape[2] >= 3 else (shown[:, :, :1], shown[:, :, 1:])
    if _channels(canvas) == 1 and colours.shape[2] == 3:
        colours = colours[:, :, :1]
    if canvas.alpha is None:
        return colours
    if not alpha.shape[2]:
        alpha = np.full((*shown.shape[:2], 1), np.iinfo(shown.dtype).max, shown.dtype)
    return np.dstack([colours, alpha])


def _meant(canvas: Canvas, rows: slice, depth: Any) -> Plain:
    colours = canvas.colours[rows]
    if canvas.order == "BGR":
        colours = _red_first(colours)
    meant = colours if canvas.alpha is None else np.dstack([colours, canvas.alpha[rows]])
    return (meant >> 8).astype(np.uint8) if meant.dtype == np.uint16 and depth == np.uint8 else meant


def _on_black(picture: Plain) -> Pixels:
    """Return the visible colours: invisible pixels may contain anything."""
    if picture.shape[2] in (1, 3):
        return np.ascontiguousarray(picture)
    seen = picture[:, :, :-1].astype(np.uint16) * picture[:, :, -1:] // 255
    return np.dstack([seen.astype(np.uint8), picture[:, :, -1:]])
