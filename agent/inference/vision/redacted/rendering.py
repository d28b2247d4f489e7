"""The path from a file's bytes to those of its covered copy: decode whole, choose metadata, cover, encode, check.

For several frames or pages it handles the first; `agent.inference.vision.animations` handles all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from agent.domain.errors import NotRestorable, RegionsTooLarge
from agent.domain.redaction import Cover
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.redacted import encoders, png_copy
from agent.inference.vision.redacted.canvas import Canvas, open_canvas
from agent.inference.vision.redacted.copy_checks import check_drawn, check_written
from agent.inference.vision.redacted.kept_metadata import kept_of
from agent.inference.vision.redactor import area_of, redact

# Bytes: they are sent to the agent in one line, together.
LARGEST_REGIONS: Final = 40_000_000
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """The options of the copy."""

    covers: tuple[Cover, ...]
    format: str | None = None
    strip: bool = False
    keep_regions: bool = False


@dataclass(frozen=True, slots=True)
class RenderPart:
    """A rectangle of a picture, as PNG."""

    x: int
    y: int
    png: bytes


@dataclass(frozen=True, slots=True)
class Copy:
    data: bytes
    width: int
    height: int
    format: str
    removed: tuple[str, ...]
    parts: tuple[RenderPart, ...]


def render(data: FileBytes, wish: RenderOptions, limits: DecodeLimits) -> Copy:
    """Return the covered copy. Raises ImageError, CopyUnsupported, CopyUnproven, RegionsTooLarge; ValueError for an invalid cover."""
    for cover in wish.covers:
        area_of(cover, 1, 1)
    return named(data, limits, lambda name: _render(data, name, wish, limits))


def _render(data: FileBytes, name: str, wish: RenderOptions, limits: DecodeLimits) -> Copy:
    canvas, notes = open_canvas(data, name, limits)
    width, height = canvas.width, canvas.height
    chosen = encoders.format_of(name, wish.format, canvas)
    encoders.plain_colours(canvas, chosen)
    kept = kept_of(notes, canvas.profile, width, height, strip=wish.strip, faces_covered=bool(wish.covers))
    parts = tuple(_parts(canvas, wish.covers)) if wish.keep_regions else ()
    cover(canvas, wish.covers)
    check_drawn(canvas, wish.covers)
    encoded, kept = encoders.encode(canvas, chosen, kept, notes, wish.covers)
    check_written(encoded, chosen, canvas, wish.covers, limits, exact=encoders.is_exact(chosen, notes))
    return Copy(encoded, width, height, chosen, kept.removed, parts)


def cover(canvas: Canvas, covers: Sequence[Cover]) -> None:
    """Draw the covers, which are opaque."""
    redact(canvas.colours, covers, order=canvas.order)
    if canvas.alpha is not None:
        opaque = np.iinfo(canvas.alpha.dtype).max
        for each in covers:
            if (area := area_of(each, canvas.width, canvas.height)) is not None:
                for rows, columns, inside in area.masks():
                    canvas.alpha[rows, columns][inside] = opaque


def _parts(canvas: Canvas, covers: Sequence[Cover]) -> list[RenderPart]:
    """Return the covered regions. Raises RegionsTooLarge."""
    found: list[RenderPart] = []
    size = 0
    colours = canvas.ordered("BGR")
    for cover in covers:
        area = area_of(cover, canvas.width, canvas.height)
        if area is None:
            continue
        rows, columns = slice(area.top, area.bottom), slice(area.left, area.right)
        part = png_copy.encode_part(colours[rows, columns], None if canvas.alpha is None else canvas.alpha[rows, columns])
        size += len(part)
        if size > LARGEST_REGIONS:
            raise RegionsTooLarge(megabytes=size // _MEGABYTE, limit=LARGEST_REGIONS // _MEGABYTE)
        found.append(RenderPart(area.left, area.top, part))
    return found


def restore(data: FileBytes, parts: Sequence[RenderPart], limits: DecodeLimits) -> bytes:
    """Return the picture as PNG with the parts restored exactly. Raises ImageError, NotRestorable if the parts don't belong to it."""
    canvas, notes = named(data, limits, lambda name: open_canvas(data, name, limits))
    canvas.ordered("BGR")
    pieces = [(part, _piece(part, limits)) for part in parts]
    if any(piece.deep for _, piece in pieces) and not canvas.deep:
        _deepen(canvas)
    if canvas.colours.shape[2] == 1 and any(piece.colours.shape[2] == 3 for _, piece in pieces):
        canvas.colours = canvas.colours.repeat(3, axis=2)
    for part, piece in pieces:
        _paste(canvas, part, piece)
    kept = kept_of(notes, canvas.profile, canvas.width, canvas.height, strip=False, faces_covered=False)
    return png_copy.encode(canvas, kept.without("comment"))


def _piece(part: RenderPart, limits: DecodeLimits) -> Canvas:
    piece, _ = named(part.png, limits, lambda name: open_canvas(part.png, name, limits))
    piece.ordered("BGR")
    return piece


def _deepen(canvas: Canvas) -> None:
    canvas.colours = canvas.colours.astype(np.uint16) * 257
    canvas.alpha = None if canvas.alpha is None else canvas.alpha.astype(np.uint16) * 257


def _paste(canvas: Canvas, part: RenderPart, piece: Canvas) -> None:
    rows, columns = slice(part.y, part.y + piece.height), slice(part.x, part.x + piece.width)
    if min(part.x, part.y) < 0 or columns.stop > canvas.width or rows.stop > canvas.height:
        raise NotRestorable
    if canvas.deep and not piece.deep:
        _deepen(piece)
    canvas.colours[rows, columns] = piece.colours
    if piece.alpha is not None and canvas.alpha is None:
        canvas.alpha = np.full(canvas.colours.shape[:2], np.iinfo(canvas.colours.dtype).max, canvas.colours.dtype)
    if canvas.alpha is not None:
        canvas.alpha[rows, columns] = np.iinfo(canvas.alpha.dtype).max if piece.alpha is None else piece.alpha
