"""A decoded photo before its details are looked at: shrunk, whether it has colours, and where faces may be.

Each is computed once, when it is needed.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import Final

from agent.inference.vision.candidate_regions import CandidateRegion, in_colour, skin_regions
from agent.inference.vision.codecs import Image, resize
from agent.inference.vision.detection import Detection, centre, size
from agent.inference.vision.mosaic import CELL, CELLS

# A hint of a small face gets this size in a cell; a patch of skin the scale at which the whole would have that side.
FACE_SIZE: Final = 24.0
_CELL_SIDE = 2800
# Skin is looked for at such a side or a little more, because chroma has no more detail.
_SKIN_SIDE = 800
# So many mosaics at most; and peaks of skin at most that are the same spot.
MOSAICS: Final = 8
_PEAKS = 4
_HINT_WEIGHT = 4.0  # of a score, against the contrast of skin


class FirstPass:
    """What the passes of a detector start from."""

    def __init__(self, image: Image) -> None:
        self.image = image

    @property
    def longest(self) -> int:
        """Return the longer side of the full image."""
        return max(self.image.width, self.image.height)

    @cached_property
    def small(self) -> Image:
        """The image with its decoded pixels halved as often as skin spots and the first look allow."""
        rows, columns = self.image.pixels.shape[:2]
        factor = 1
        while max(rows, columns) / (2 * factor) >= _SKIN_SIDE:
            factor *= 2
        if factor == 1:
            return self.image
        pixels = resize(self.image.pixels, max(1, round(columns / factor)), max(1, round(rows / factor)))
        return replace(self.image, pixels=pixels, scale=self.image.scale / factor)

    @cached_property
    def in_colour(self) -> bool:
        return in_colour(self.small.pixels)

    def spots(self, found: Sequence[Detection], most: int, face_size: float = FACE_SIZE) -> Iterator[CandidateRegion]:
        """Return places where a face may be, most likely first: detections, shown at that size, and patches of skin."""
        finest = min(1.0, _CELL_SIDE / self.longest)
        hints = [CandidateRegion(*centre(face), min(finest, face_size / max(size(face), 1.0)), _HINT_WEIGHT * face.score) for face in found]
        fx, fy = (self.image.width / self.small.pixels.shape[1], self.image.height / self.small.pixels.shape[0])
        skin = (CandidateRegion(x * fx, y * fy, finest, weight) for x, y, weight in self._skin[: _PEAKS * most])
        return islice(_apart(heapq.merge(sorted(hints, key=_unlikeliness), skin, key=_unlikeliness)), most)

    def at_two_scales(
        self, found: Sequence[Detection], face_size: float, near: int, farther: float
    ) -> tuple[list[CandidateRegion], list[CandidateRegion]]:
        """Return the `near` likeliest of CELLS such places, and cells that show all of them so many times smaller."""
        likeliest = list(self.spots(found, CELLS, face_size))
        return likeliest[:near], list(_apart(replace(spot, ratio=spot.ratio / farther) for spot in likeliest))

    @cached_property
    def _skin(self) -> list[tuple[float, float, float]]:
        return skin_regions(self.small.pixels, _PEAKS * MOSAICS * CELLS)


def _unlikeliness(spot: CandidateRegion) -> float:
    return -spot.weight


def _apart(spots: Iterable[CandidateRegion]) -> Iterator[CandidateRegion]:
    """Yield those that no earlier one's cell shows well."""
    taken: list[tuple[float, float, float]] = []
    for spot in spots:
        here, there = spot.x, spot.y
        if not any(abs(here - x) < reach and abs(there - y) < reach for x, y, reach in taken):
            taken.append((here, there, CELL / 4 / spot.ratio))
            yield spot
