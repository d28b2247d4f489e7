"""Checks from the pixels alone that covered areas contain only what their style defines, whatever drew them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.redaction import Cover, Style
from agent.inference.vision.redactor import SOLID, Colours, Mask, PixelArea, emoji, from_below, grid

# Rounding errors in a step between neighbouring pixels.
_ROUNDED: Final = 2
Check: TypeAlias = Callable[[Colours, Cover, PixelArea, Sequence[PixelArea]], bool]


def is_flat(pixels: Colours, covers: Sequence[Cover], *, order: str = "RGB") -> bool:
    """Return whether each cover is flat; each is checked where no other cover is above it."""
    if order == "BGR":
        pixels = pixels[:, :, ::-1]
    drawn = from_below(pixels, covers)
    return all(
        _STYLES[cover.look.style](pixels, cover, area, [other for _, other in drawn[number + 1 :] if area.meets(other)])
        for number, (cover, area) in enumerate(drawn)
    )


def _solid(pixels: Colours, _: Cover, area: PixelArea, above: Sequence[PixelArea]) -> bool:
    colour = SOLID[: pixels.shape[2]]
    return all((pixels[rows, columns][seen] == colour).all() for rows, columns, seen in _seen(area, above, None))


def _emoji(pixels: Colours, cover: Cover, area: PixelArea, above: Sequence[PixelArea]) -> bool:
    return all(
        np.array_equal(pixels[rows, columns][seen], emoji(cover, rows, columns, pixels)[seen])
        for rows, columns, seen in _seen(area, above, None)
    )


def _mosaic(pixels: Colours, cover: Cover, area: PixelArea, above: Sequence[PixelArea]) -> bool:
    """Check that every cell has one colour."""
    ys, xs = grid(cover, area)
    for top, bottom in pairwise(ys.tolist()):
        for rows, columns, seen in _seen(area, above, slice(top, bottom)):
            for left, right in pairwise((xs - columns.start).tolist()):
                cell = pixels[rows, columns][:, left:right][seen[:, left:right]]
                if cell.size and (cell != cell[0]).any():
                    return False
    return True


def _blur(pixels: Colours, cover: Cover, area: PixelArea, above: Sequence[PixelArea]) -> bool:
    """Check that no step exceeds that of the steepest slope between two means."""
    ys, xs = grid(cover, area)
    most = np.iinfo(pixels.dtype).max
    for top, bottom in pairwise(ys.tolist()):
        for rows, columns, seen in _seen(area, above, slice(top, bottom + 1)):
            part = pixels[rows, columns].astype(np.int32)
            for axis, cuts in ((0, ys), (1, xs)):
                steps, both = np.abs(np.diff(part, axis=axis)), _next(seen, axis)
                if (steps[both] > _steepest(cuts, most)).any():
                    return False
    return True


def _next(seen: Mask, axis: int) -> Mask:
    """Return for each pixel and its successor whether both are visible."""
    return seen[1:] & seen[:-1] if axis == 0 else seen[:, 1:] & seen[:, :-1]


def _steepest(cuts: NDArray[np.int64], most: int) -> float:
    return most / float(np.diff(cuts).min()) + _ROUNDED


def _seen(area: PixelArea, above: Sequence[PixelArea], within: slice | None) -> Iterator[tuple[slice, slice, Mask]]:
    """Yield the area in strips, without the parts below other covers."""
    for rows, columns, inside in area.masks(within):
        seen = inside.copy()
        for other in above:
            for place, across, covered in other.masks(rows):
                first, last = max(across.start, columns.start), min(across.stop, columns.stop)
                if first < last:
                    here = slice(place.start - rows.start, place.stop - rows.start)
                    seen[here, first - columns.start : last - columns.start] &= ~covered[:, first - across.start : last - across.start]
        yield rows, columns, seen


_STYLES: Final[Mapping[Style, Check]] = {Style.SOLID: _solid, Style.EMOJI: _emoji, Style.MOSAIC: _mosaic, Style.BLUR: _blur}
