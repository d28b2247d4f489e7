"""Detection in a large photo: one look at the whole, a mosaic of the places that may hide small faces, and windows only in crowds."""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from agent.inference.vision.candidate_regions import CandidateRegion
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import NMS_IOU, Detection, Look, centre, merged, scaled, size, suppress, sure
from agent.inference.vision.first_pass import FACE_SIZE, MOSAICS, FirstPass
from agent.inference.vision.mosaic import CELLS, SIDE, Cell, mosaic, origin, place
from agent.inference.vision.orientation import TURNS, turn_of
from agent.inference.vision.passes import detect_on_canvas, detect_regions
from agent.inference.vision.tiles import frame_size, surroundings

# Pixels of the longer side. From this one on, faces of 28 pixels leave no hint in a pass at 640.
LARGE_SIDE = 1494
# The whole is searched at this side: faces of 16 pixels are found in it, faces of 12 leave hints. Huge ones are found at the coarse side.
LOOK_SIDE, COARSE_SIDE = 800, 256
# Pixels at the coarse side: such a face has 300 in the first look, which then cuts its box.
_HUGE = 96.0
# The finest decoding: half a 12-megapixel JPEG, which costs little more than a quarter of it.
FINE_SIDE = 2000
HINT_SIZE = 20.0
# Neck and ears of a face that was found, in its sizes. Another face as near is in the same cell.
_BESIDE = 0.5
# A mosaic that shows so many faces is followed by the next.
_WORTH_ANOTHER = 2
# A crowd: a small face or hint with so many others within so many of its sizes. There neighbours leave no hints.
_NEIGHBOURS, _NEAR = 3, 6.0


# Height and width of the inputs that most photos need: the first look at a photo of 4:3, lying or upright, and a mosaic.
RECURRING = (frame_size(LOOK_SIDE * 3 // 4, LOOK_SIDE), frame_size(LOOK_SIDE, LOOK_SIDE * 3 // 4), (SIDE, SIDE))


def in_mosaic(look: Look, image: Image, chosen: Sequence[CandidateRegion], min_score: float) -> list[Detection]:
    """Return the faces at these spots, at most CELLS of them."""
    found = []
    for face in look(mosaic(image, [Cell(spot) for spot in chosen]), min_score):
        if (number := place(face.box)) is not None and number < len(chosen):
            spot = chosen[number]
            found.append(scaled(face, 1 / spot.ratio, 1 / spot.ratio, *origin(number, spot)))
    return suppress(found, NMS_IOU)


def detect_large(look: Look, photo: FirstPass, min_score: float, hint_score: float) -> tuple[list[Detection], list[Detection]]:
    """Return the faces, and everything that the first look saw down to half of `hint_score`, best first."""
    image, small, longest = photo.image, photo.small, photo.longest
    ratio = LOOK_SIDE / longest
    coarse = sure(detect_on_canvas(look, small, COARSE_SIDE / longest, min_score), min_score)
    found = detect_on_canvas(look, small, ratio, min(min_score, hint_score / 2))
    kept = merged(coarse, COARSE_SIDE / longest, sure(found, min_score), _HUGE)
    weak = [face for face in found if face.score < min_score]
    hints = [face for face in weak if size(face) * ratio < FACE_SIZE]
    kept = _with_mosaics(look, image, kept, photo.spots(hints, MOSAICS * CELLS), min_score)
    unsure = [face for face in weak if face.score >= hint_score and not any(face.box.iou(other.box) > NMS_IOU for other in kept)]
    crowded = crowd([face for face in [*kept, *unsure] if size(face) * ratio < HINT_SIZE])
    if crowded:
        closer = min(1.0, FINE_SIDE / longest, FACE_SIZE / max(1.0, min(map(size, crowded))))
        if closer > ratio:
            more = detect_regions(look, image, closer, min_score, [surroundings(face.box) for face in crowded])
            kept = merged(kept, ratio, sure(more, min_score))
    return sorted(kept, key=lambda face: -face.score), found


def crowd(small: Sequence[Detection]) -> list[Detection]:
    """Return those of small faces and hints that have several others nearby."""
    return [face for face in small if sum(_near(face, other) for other in small) > _NEIGHBOURS]


def _with_mosaics(look: Look, image: Image, kept: list[Detection], spots: Iterator[CandidateRegion], min_score: float) -> list[Detection]:
    for _ in range(MOSAICS):
        left = (spot for spot in spots if not any(_inside((spot.x, spot.y), face, _BESIDE) for face in kept))
        if not (chosen := list(islice(left, CELLS))):
            break
        seen = in_mosaic(look, image, chosen, min_score)
        # A cell beside a large face shows a part of it.
        kept = suppress([*kept, *(face for face in seen if not any(_inside(centre(face), other) for other in kept))], NMS_IOU)
        if len(seen) < _WORTH_ANOTHER:
            break
    return kept


def _near(face: Detection, other: Detection) -> bool:
    reach = _NEAR * size(face)
    return math.fabs(face.box.x - other.box.x) < reach and math.fabs(face.box.y - other.box.y) < reach


def _inside(place: tuple[float, float], face: Detection, margin: float = 0.0) -> bool:
    """Return whether it is in the face's box, enlarged on each side by a share of its size."""
    box, more = face.box, margin * size(face)
    return box.x - more < place[0] < box.x + box.w + more and box.y - more < place[1] < box.y + box.h + more


# -- Whether a photo in which no face is certain lies on its side or upside down ---------------------------------------------------
# A hint of a turned face is often too large for it.
_TURNED_SIZE = 36.0
# Turned faces of medium size leave no hints either, but several patches of skin: these are also shown together, so many times smaller.
_SMALLER, _FINE_SPOTS = 4, 10
# In the mosaic that shows all turns: so many places closely and from farther away, and the score that calls for the others.
_FIRST_FINE, _FIRST_WIDE, _FIRST_SCORE = 3, 2, 0.3


def turn_by_spots(look: Look, photo: FirstPass, hints: Sequence[Detection], min_score: float) -> int:
    """Return the turn in which the likeliest places show upright faces, one mosaic for each turn; 0 if none does.

    Before that, one mosaic shows a few of them in all turns: most photos without faces end there.
    """
    image, (fine, wide) = photo.image, photo.at_two_scales(hints, _TURNED_SIZE, _FINE_SPOTS, _SMALLER)
    first = [Cell(spot, turn) for turn in TURNS for spot in (*fine[:_FIRST_FINE], *wide[:_FIRST_WIDE])]
    if not first or not _upright(look, image, first, _FIRST_SCORE):
        return 0
    scores = [0.0] * (1 + len(TURNS))
    for turn in TURNS:
        cells = [Cell(spot, turn) for spot in (*fine, *wide)][:CELLS]
        scores[turn] = sum(face.score for face in _upright(look, image, cells, min_score))
    return max(range(len(scores)), key=lambda turn: scores[turn])


def _upright(look: Look, image: Image, cells: Sequence[Cell], min_score: float) -> list[Detection]:
    """Return the faces in a mosaic of these cells that are upright there."""
    return [face for face in suppress(look(mosaic(image, cells), min_score), NMS_IOU) if turn_of(face.landmarks) == 0]
