"""Detects faces in several passes at suitable resolutions."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from agent.domain.face import Box
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import NMS_IOU, Detection, back, merged, more_certain, size, suppress, sure
from agent.inference.vision.first_pass import FirstPass
from agent.inference.vision.large_photo import FINE_SIDE, HINT_SIZE, LARGE_SIDE, RECURRING, detect_large, turn_by_spots
from agent.inference.vision.orientation import dominant_rotation, turned
from agent.inference.vision.passes import detect_regions, detect_whole
from agent.inference.vision.tiles import surroundings

Floats: TypeAlias = NDArray[np.float32]
# uint8 [1, height, width, 3] RGB -> the detector's outputs, in their order.
DetectorNet: TypeAlias = Callable[[NDArray[np.uint8]], Sequence[Floats]]

# Returns the image with a longer side of at least this many pixels, if the file has them.
Decoder: TypeAlias = Callable[[int], Image]

# No measured crowd came near this; a picture made to exceed it must not keep the engine busy.
MAX_CANDIDATES = 4000
# All measured, in pixels of the net's input. Faces are found from about this height on; from 12 on they leave hints of at least
# the detector's `hint_score`, where photos without small faces leave none.
FOUND_SIZE = 16.0

FIRST_SIDE = 640
# A face this high in the full image should leave a hint of this height, if one more pass of at most this side can show it.
WORTH_FINDING, HINT_HEIGHT, SECOND_SIDE = 28, 12, 1000
# A face that fills the picture is too large for the net in the first pass.
COARSE_SIDE = 320
# Around hints of small faces, a closer pass enlarges the surroundings so that the smallest face has this size,
CLOSE_SIZE = 24.0
# limited so that the whole image would have at most this side, which also limits enlarging a small image, and to a factor of two.
CLOSEST_SIDE, ENLARGED_SIDE, ENLARGED = 2000, 1280, 2.0
# Faces that exceed the minimum score by this tell how the photo lies; otherwise it is searched in all turns.
CERTAIN = 0.1
# If a missed face would be shown, the whole picture is searched, and this score counts. Measured on labelled groups and
# collages: no face missed from 20 pixels on in pictures of up to 2048, and nearly all other detections were unlabelled people.
THOROUGH_SCORE, THOROUGH_FACE = 0.25, 12.0
# A face of 20 pixels is found reliably when it is slightly enlarged.
THOROUGH_RATIO, THOROUGH_UP_TO = 1.25, 2048
# For larger pictures, this side is covered by two windows of 1024 pixels; hints are followed up to the other one.
THOROUGH_SIDE, THOROUGH_CLOSEST = 1888, 4000


class Detector(ABC):
    """Makes another, finer pass where small faces left hints or could not, a coarser one for huge faces, and again for a turned photo."""

    recipe: ClassVar[str]  # as the manifest and each analysis name it
    outputs: ClassVar[tuple[str, ...]]  # of the net
    blue_first: ClassVar[bool]  # whether the net was trained on BGR
    hint_score: ClassVar[float]
    sizes: ClassVar[tuple[tuple[int, int], ...]] = RECURRING  # height and width of inputs that recur in scans

    def __init__(self, net: DetectorNet) -> None:
        self._net = net

    @abstractmethod
    def look(self, canvas: NDArray[np.uint8], min_score: float) -> "list[Detection]":
        """Make one pass: uint8 [1, height, width, 3] RGB, padded -> faces in its pixels, best first, not yet suppressed."""

    def __call__(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """Return faces of at least `min_score`, best first; those of a photo that lies on its side or upside down, too."""
        image = decoder(FINE_SIDE)  # at once: decoding twice would cost more than it saves
        photo = FirstPass(image)
        kept, hints = self._quick(decoder, photo, min_score)
        if (turn := self._turn(photo, kept, hints, min_score)) == 0:
            return kept
        again, _ = self._quick(lambda side: turned(decoder(side), turn), FirstPass(turned(image, turn)), min_score)
        return more_certain(kept, [back(face, turn, image.width, image.height) for face in again])

    def _quick(self, decoder: Decoder, photo: FirstPass, min_score: float) -> tuple[list[Detection], list[Detection]]:
        """Return the faces of the picture as it is, best first, and hints."""
        if photo.longest >= LARGE_SIDE and photo.in_colour:
            return detect_large(self.look, photo, min_score, self.hint_score)
        return self._in_passes(decoder, min_score)

    def _in_passes(self, decoder: Decoder, min_score: float) -> tuple[list[Detection], list[Detection]]:
        """The same for a small picture, and for one without colours, in which nothing but a finer pass shows where faces may be."""
        image = decoder(FIRST_SIDE)
        longest = max(image.width, image.height)
        least = min(min_score, self.hint_score)
        kept: list[Detection] = []
        found: list[Detection] = []
        hints: list[Detection] = []
        ratio = 0.0
        for side in whole_sides(longest):
            finer = min(1.0, side / longest)
            found = detect_whole(self.look, decoder(side), finer, least)
            kept = merged(kept, ratio, sure(found, min_score))
            ratio = finer
            hints = [face for face in found if size(face) * ratio < HINT_SIZE]
        if hints and (closer := close_ratio(longest, min(map(size, hints)))) > ratio:
            image = decoder(math.ceil(longest * min(1.0, closer)))
            kept = merged(kept, ratio, sure(detect_regions(self.look, image, closer, least, _around(hints)), min_score))
        if not kept:
            kept = sure(detect_whole(self.look, image, min(1.0, COARSE_SIDE / longest), least), min_score)
        return sorted(kept, key=lambda face: -face.score), found

    def _turn(self, photo: FirstPass, kept: Sequence[Detection], hints: Sequence[Detection], min_score: float) -> int:
        """Return the turn that makes the picture upright, as far as its faces tell."""
        if any(face.score >= min_score + CERTAIN for face in kept):
            return dominant_rotation([(face.score, face.landmarks) for face in kept])
        return turn_by_spots(self.look, photo, hints, min_score)

    def once(self, decoder: Decoder, min_score: float, least: float) -> list[Detection]:
        """Detect in one pass, as coarse as faces of `least` pixels allow, and in a coarser one if there is nothing."""
        image = decoder(FIRST_SIDE)
        ratio = min(1.0, FOUND_SIZE / least)
        found = sure(detect_whole(self.look, image, ratio, min(min_score, self.hint_score)), min_score)
        if not found and (coarse := COARSE_SIDE / max(image.width, image.height)) < ratio:
            found = sure(detect_whole(self.look, image, coarse, min_score), min_score)
        return found

    def thorough(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """Detect so that no face is missed, at the cost of time and false detections."""
        kept = self._thorough(decoder, min_score)
        image = decoder(THOROUGH_SIDE)
        certain = sure(kept, min_score)
        if (turn := self._turn(FirstPass(image), certain, kept, min_score)) == 0:
            return kept
        again = self._thorough(lambda side: turned(decoder(side), turn), min_score)
        both = [*kept, *(back(face, turn, image.width, image.height) for face in again)]
        return suppress(sorted(both, key=lambda face: -face.score), NMS_IOU)

    def _thorough(self, decoder: Decoder, min_score: float) -> list[Detection]:
        """The same for the picture as it is."""
        image = decoder(THOROUGH_SIDE)
        longest = max(image.width, image.height)
        least = min(min_score, THOROUGH_SCORE)
        down_to = min(least, self.hint_score)
        enlarged = max(THOROUGH_RATIO, min(ENLARGED, THOROUGH_SIDE / longest))
        finest = enlarged if longest <= THOROUGH_UP_TO else THOROUGH_SIDE / longest
        kept: list[Detection] = []
        found: list[Detection] = []
        ratio = 0.0
        for finer in sorted({min(finest, side / longest) for side in (COARSE_SIDE, FIRST_SIDE)} | {finest}):
            found = detect_whole(self.look, image, finer, down_to)
            kept = merged(kept, ratio, sure(found, least))
            ratio = finer
        hints = [face for face in found if size(face) * ratio < HINT_SIZE]
        closer = min(1.0, THOROUGH_CLOSEST / longest, CLOSE_SIZE / max(1.0, min(map(size, hints), default=math.inf)))
        if closer > ratio:
            image = decoder(math.ceil(longest * closer))
            kept = merged(kept, ratio, sure(detect_regions(self.look, image, closer, down_to, _around(hints)), least))
        return sorted(kept, key=lambda face: -face.score)


def whole_sides(longest: int) -> tuple[int, ...]:
    """Return the longer sides to which the whole image is scaled, one after the other.

    >>> whole_sides(1200), whole_sides(4000)
    ((640,), (640, 1000))
    """
    needed = longest * HINT_HEIGHT // WORTH_FINDING
    return (FIRST_SIDE, min(SECOND_SIDE, -(-needed // 256) * 256)) if needed > FIRST_SIDE else (FIRST_SIDE,)


def _around(hints: Sequence[Detection]) -> list[Box]:
    return [surroundings(face.box) for face in hints]


def close_ratio(longest: int, smallest: float) -> float:
    """Return the scale for the surroundings of hints, the smallest of which has that size in the full image."""
    most = max(min(1.0, CLOSEST_SIDE / longest), min(ENLARGED, ENLARGED_SIDE / longest))
    return min(most, CLOSE_SIZE / max(smallest, 1.0))
