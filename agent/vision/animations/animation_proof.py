"""Checks the copy of an animation: each frame, decoded again, must show what was drawn."""

import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import CopyUnproven
from agent.vision.animations.animation_reading import film_of, frames
from agent.vision.codecs import Limits
from agent.vision.codecs.decode import named
from agent.vision.copies.canvas import Canvas
from agent.vision.copies.proof import MOST_OFF, block_means, readable

Means = NDArray[np.float32]
_DEEP: Final = 8  # more bits than are compared


class Proof:
    """Coarse copies of the drawn frames, small enough to hold all of them until the copy is finished."""

    def __init__(self) -> None:
        self._meant: list[tuple[Means, int]] = []  # and a marker of whether a frame equals the previous one

    def note(self, canvas: Canvas) -> None:
        """Record the next frame, as it was encoded."""
        self._meant.append((_seen(canvas), _digest(canvas)))

    def check(self, copy: bytes, limits: Limits) -> None:
        """Check the copy. Raises CopyUnproven."""
        with readable():
            film = named(copy, limits, lambda name: film_of(copy, name, limits))
            self._compare((_seen(frame.canvas) for frame in frames(copy, film, limits)), len(self._meant) - len(film.numbers))

    def _compare(self, shown: Iterator[Means], spare: int) -> None:
        """Compare; the encoder left out `spare` frames, each equal to the previous one. Raises CopyUnproven."""
        before: int | None = None
        for meant, digest in self._meant:
            if spare > 0 and digest == before:
                spare -= 1
                continue
            before = digest
            if (now := next(shown, None)) is None or not _alike(now, meant):
                raise CopyUnproven
        if spare or next(shown, None) is not None:
            raise CopyUnproven


def _digest(canvas: Canvas) -> int:
    return zlib.crc32(b"" if canvas.alpha is None else canvas.alpha.tobytes(), zlib.crc32(canvas.colours.tobytes()))


def _alike(one: Means, other: Means) -> bool:
    return one.shape == other.shape and float(np.abs(one - other).max()) <= MOST_OFF


def _seen(canvas: Canvas) -> Means:
    """Return block means of RGB and of transparency, with invisible pixels as black."""
    colours = canvas.colours if canvas.order == "RGB" else canvas.colours[:, :, ::-1]
    alpha = np.full(colours.shape[:2], np.iinfo(colours.dtype).max, colours.dtype) if canvas.alpha is None else canvas.alpha
    picture = np.dstack([*([colours] if colours.shape[2] == 3 else [colours] * 3), alpha])
    if canvas.deep:
        picture = (picture >> _DEEP).astype(np.uint8)
    return block_means(picture)
