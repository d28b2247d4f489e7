"""Covers areas of a picture, in place: no pixel that an area touches keeps its value.

Edges are hard, because a soft edge lets the content shine through. What each style leaves:
solid and emoji nothing; they are the same for any content. Mosaic and blur leave the mean colours of a grid of at most `CELLS` by
`CELLS` cells over the cover, about five by six over the face itself, by which a machine that knows the person may still recognise it.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.domain.redaction import Cover, Shape, Style
from agent.inference.vision import smiley

# [height, width, channels]: uint8 or uint16, grey or RGB. A view of a larger array works too.
Colours: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
Mask: TypeAlias = NDArray[np.bool_]

CELLS: Final = 8
# Pixels: smaller cells would show a small face unchanged.
_SMALLEST_CELL: Final = 8.0
# The same for every face: a colour taken from the face would reveal something about it.
SOLID: Final = (0, 0, 0)
# Pixels: this far around an area a pixel may still touch it, also at an ellipse's long sides.
_TOUCH: Final = 1.0
OPAQUE: Final = frozenset({Style.SOLID, Style.EMOJI})
_FARTHEST: Final = 1e9  # pixels: no picture is larger
_AT_A_TIME: Final = 1_000_000  # pixels: keeps temporary memory small


@dataclass(frozen=True, slots=True)
class PixelArea:
    """The pixels of a cover inside the picture: for each row from `top` on, the first column and the one after the last."""

    top: int
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @property
    def left(self) -> int:
        return int(self.starts.min())

    @property
    def right(self) -> int:
        return int(self.ends.max())

    @property
    def bottom(self) -> int:
        return self.top + len(self.starts)

    def masks(self, within: slice | None = None) -> Iterator[tuple[slice, slice, Mask]]:
        """Yield the area, or its part in these rows, in strips: rows, columns, and a mask of its pixels."""
        across = slice(self.left, self.right)
        columns = np.arange(across.start, across.stop)
        step = max(1, _AT_A_TIME // len(columns))
        begin = 0 if within is None else min(max(within.start - self.top, 0), len(self.starts))
        end = len(self.starts) if within is None else min(max(within.stop - self.top, begin), len(self.starts))
        for first in range(begin, end, step):
            last = min(first + step, end)
            starts, ends = self.starts[first:last, None], self.ends[first:last, None]
            yield slice(self.top + first, self.top + last), across, (columns >= starts) & (columns < ends)

    def meets(self, other: "PixelArea") -> bool:
        """Return whether the two may share pixels."""
        return self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right


def area_of(cover: Cover, width: int, height: int) -> PixelArea | None:
    """Return every pixel of such a picture that the cover may touch; None if there is none. Raises ValueError for an invalid area."""
    box = cover.box
    if not all(math.isfinite(value) and abs(value) <= _FARTHEST for value in (box.x, box.y, box.w, box.h, cover.tilt)):
        raise ValueError("a cover's numbers are none of a picture")
    if box.w < 0 or box.h < 0:
        raise ValueError("a cover has no less than nothing of a side")
    x, y = box.x + box.w / 2, box.y + box.h / 2
    half_w, half_h = box.w / 2 + _TOUCH, box.h / 2 + _TOUCH
    turn = math.radians(cover.tilt)
    find = _ellipse if cover.look.shape is Shape.ELLIPSE else _rectangle
    reach = math.hypot(half_w, half_h) + 1
    top, bottom = (min(max(math.floor(y + side), 0), height) for side in (-reach, reach + 1))
    rows = np.arange(top, bottom, dtype=np.float64) + (0.5 - y)
    first, last = find(rows, half_w, half_h, math.cos(turn), math.sin(turn))
    # A pixel belongs to it if its centre is between the two.
    starts = np.clip(np.ceil(np.clip(first + x - 0.5, -1, width + 1)), 0, width).astype(np.int64)
    ends = np.clip(np.floor(np.clip(last + x - 0.5, -2, width + 1)) + 1, 0, width).astype(np.int64)
    touched = np.nonzero(ends > starts)[0]
    if not touched.size:
        return None
    within = slice(int(touched[0]), int(touched[-1]) + 1)
    return PixelArea(top + within.start, starts[within], np.maximum(ends[within], starts[within]))


def _ellipse(
    rows: NDArray[np.float64], half_w: float, half_h: float, cos: float, sin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each row, given by its distance from the centre, enters and leaves it; if it misses, it leaves before it enters."""
    # (dx cos + dy sin)^2 / w^2 + (dy cos - dx sin)^2 / h^2 = 1, solved for dx.
    a = (cos / half_w) ** 2 + (sin / half_h) ** 2
    b = cos * sin * (1 / half_w**2 - 1 / half_h**2) * rows
    c = ((sin / half_w) ** 2 + (cos / half_h) ** 2) * rows**2 - 1
    inside = b * b - a * c
    reach = np.sqrt(np.maximum(inside, 0)) / a
    middle = -b / a
    return np.where(inside < 0, 1.0, middle - reach), np.where(inside < 0, -1e12, middle + reach)


def _rectangle(
    rows: NDArray[np.float64], half_w: float, half_h: float, cos: float, sin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, last = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    # Between two pairs of lines: |dx cos + dy sin| <= w and |-dx sin + dy cos| <= h.
    for slope, offset, half in ((cos, sin * rows, half_w), (-sin, cos * rows, half_h)):
        if abs(slope) < 1e-9:
            outside = np.abs(offset) > half
            first, last = np.where(outside, 1.0, first), np.where(outside, -1e12, last)
            continue
        one, other = (-half - offset) / slope, (half - offset) / slope
        first, last = np.maximum(first, np.minimum(one, other)), np.minimum(last, np.maximum(one, other))
    return first, last


def redact(pixels: Colours, covers: Sequence[Cover], *, order: str = "RGB") -> None:
    """Draw the covers on the picture, in place; `order` is the order of its channels. Raises ValueError for an invalid cover."""
    if order == "BGR":
        pixels = pixels[:, :, ::-1]
    drawn = from_below(pixels, covers)
    opaque = [each for each in drawn if each[0].look.style in OPAQUE]
    # Styles that leave nothing are also drawn first, so that no mean includes their content.
    for cover, area in (*(opaque if len(opaque) < len(drawn) else ()), *drawn):
        _STYLES[cover.look.style](pixels, cover, area)


def from_below(pixels: Colours, covers: Sequence[Cover]) -> list[tuple[Cover, PixelArea]]:
    """Return the covers that touch the picture, with areas; styles that leave nothing are above those with means. Raises ValueError."""
    areas = [(cover, area) for cover in covers if (area := area_of(cover, pixels.shape[1], pixels.shape[0])) is not None]
    return sorted(areas, key=lambda each: each[0].look.style in OPAQUE)


def covered(covers: Sequence[Cover], width: int, height: int) -> Mask:
    """Return which pixels of a picture of that size the covers touch. Raises ValueError."""
    mask = np.zeros((height, width), np.bool_)
    for cover in covers:
        if (area := area_of(cover, width, height)) is not None:
            for rows, columns, inside in area.masks():
                mask[rows, columns] |= inside
    return mask


def _solid(pixels: Colours, _: Cover, area: PixelArea) -> None:
    colour = np.array(SOLID[: pixels.shape[2]], pixels.dtype)
    for rows, columns, inside in area.masks():
        pixels[rows, columns][inside] = colour


def _emoji(pixels: Colours, cover: Cover, area: PixelArea) -> None:
    for rows, columns, inside in area.masks():
        pixels[rows, columns][inside] = emoji(cover, rows, columns, pixels)[inside]


def emoji(cover: Cover, rows: slice, columns: slice, like: Colours) -> Colours:
    """Return that part of a drawn face that resembles no person, with the numbers and channels of `like`."""
    box, turn = cover.box, math.radians(cover.tilt)
    x, y = box.x + box.w / 2, box.y + box.h / 2
    dy, dx = np.mgrid[rows, columns].astype(np.float32)
    dx, dy = dx + (0.5 - x), dy + (0.5 - y)
    u = (dx * math.cos(turn) + dy * math.sin(turn)) / max(box.w / 2, _TOUCH)
    v = (dy * math.cos(turn) - dx * math.sin(turn)) / max(box.h / 2, _TOUCH)
    drawn = smiley.colours(u, v)
    if like.shape[2] == 1:
        drawn = drawn.mean(axis=2, keepdims=True)
    return cast("Colours", (drawn * np.iinfo(like.dtype).max).astype(like.dtype))


def _mosaic(pixels: Colours, cover: Cover, area: PixelArea) -> None:
    means, ys, xs = _means(pixels, cover, area)
    across = means.repeat(np.diff(xs), axis=1)
    of_row = np.arange(len(ys) - 1).repeat(np.diff(ys))
    for rows, columns, inside in area.masks():
        pixels[rows, columns][inside] = across[of_row[rows.start - area.top : rows.stop - area.top]][inside]


def _blur(pixels: Colours, cover: Cover, area: PixelArea) -> None:
    """Draw the mosaic's means with smooth transitions: it leaves no more information than the mosaic."""
    means, _, _ = _means(pixels, cover, area)
    channels = pixels.shape[2]
    small = np.ascontiguousarray(means).astype(np.float32)
    tall = cv2.resize(small, (small.shape[1], area.bottom - area.top), interpolation=cv2.INTER_LINEAR)
    tall = tall.reshape(tall.shape[0], -1, channels)
    for rows, columns, inside in area.masks():
        strip = np.ascontiguousarray(tall[rows.start - area.top : rows.stop - area.top])
        smooth = cv2.resize(strip, (columns.stop - columns.start, len(strip)), interpolation=cv2.INTER_LINEAR)
        pixels[rows, columns][inside] = np.rint(smooth).astype(pixels.dtype).reshape(*inside.shape, channels)[inside]


def _means(pixels: Colours, cover: Cover, area: PixelArea) -> tuple[Colours, NDArray[np.int64], NDArray[np.int64]]:
    """Return mean colours of a grid over the area, and the boundaries of its rows and columns."""
    ys, xs = grid(cover, area)
    means = np.empty((len(ys) - 1, len(xs) - 1, pixels.shape[2]), pixels.dtype)
    for row, (top, bottom) in enumerate(pairwise(ys)):
        columns = pixels[top:bottom, area.left : area.right].sum(axis=0, dtype=np.uint64)
        sums = np.add.reduceat(columns, xs[:-1] - area.left, axis=0)
        means[row] = sums // ((bottom - top) * np.diff(xs)[:, None]).astype(np.uint64)
    return means, ys, xs


def grid(cover: Cover, area: PixelArea) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the boundaries of a mosaic's rows and columns."""
    cell = max(_SMALLEST_CELL, max(cover.box.w, cover.box.h) / CELLS)
    return _cuts(area.top, area.bottom, cell), _cuts(area.left, area.right, cell)


def _cuts(first: int, last: int, cell: float) -> NDArray[np.int64]:
    """Divide a side into equal parts, none smaller than a cell unless the side is."""
    count = max(1, math.floor((last - first) / cell))
    return np.linspace(first, last, count + 1).round().astype(np.int64)


_STYLES: Final[dict[Style, Callable[[Colours, Cover, PixelArea], None]]] = {
    Style.SOLID: _solid,
    Style.MOSAIC: _mosaic,
    Style.BLUR: _blur,
    Style.EMOJI: _emoji,
}
