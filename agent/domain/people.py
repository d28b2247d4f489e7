"""Who a face is: an opinion formed from distances to known faces, with bounds and a word for how sure it is.

What the figures here were measured on is told in docs/decisions/0011.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.domain.face import Quality


class Certainty(StrEnum):
    CONFIRMED = "confirmed"  # the user said so
    CERTAIN = "certain"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Euclidean distances between L2-normalised embeddings (0 to 2). Defaults: `agent.core.settings.Recognition`."""

    certain: float
    probable: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """How near a face is to one person."""

    person_id: int
    distance: float  # to the nearest reference
    agree: int  # references nearer than the `probable` bound
    references: int  # references there are


@dataclass(frozen=True, slots=True)
class Identity:
    """An opinion about a face."""

    person_id: int
    certainty: Certainty
    distance: float
    agree: int
    references: int


# Of a face that shows this much nothing is lost, and of one that shows that little nothing is known. In between it counts by ratio.
EYE_DISTANCE = (9.0, 16.0)
# Two faces that are both blurred look alike, whoever they are: below 80 one wrong pair in 300 is nearer than `Bounds.certain`.
SHARPNESS = (40.0, 170.0)
YAW = (60.0, 30.0)
# Nothing is certain of a face that is trusted less.
MIN_TRUST = 0.5
# Among many references one may be near by chance: of at least a third the face must be nearer than `Bounds.probable`. Of a person's own
# faces that is true of 98 in 100; strangers' faces never had more than a fifth of ten references, a tenth of forty.
SHARE_NEAR = 1 / 3
# If half of them, and at least two, are near it, a fully trusted face may lie so much farther from the nearest.
AGREED, SHARE_AGREED = 0.03, 1 / 2
# A second person who is nearly as near may as well be the one: brothers and sisters, parents and children.
MARGIN = 0.10


def trust(quality: Quality) -> float:
    """How far a face can be trusted for recognition, 0 to 1, by its worst figure: too small, blurred, or turned away.

    >>> trust(Quality(size=60, sharpness=400, yaw=10, roll=90)), trust(Quality(size=60, sharpness=40, yaw=10, roll=0))
    (1.0, 0.0)
    """
    nothing, enough = YAW
    turned = (nothing - abs(quality.yaw)) / (nothing - enough)
    return max(0.0, min(1.0, _share(quality.size, EYE_DISTANCE), _share(quality.sharpness, SHARPNESS), turned))


def identify(candidates: Sequence[Candidate], quality: Quality, bounds: Bounds) -> Identity | None:
    """The nearest person if it is near enough; nothing is claimed beyond the `probable` bound."""
    nearest = sorted(candidates, key=lambda candidate: candidate.distance)[:2]
    if not nearest or nearest[0].distance > bounds.probable:
        return None
    best = nearest[0]
    alone = len(nearest) < 2 or nearest[1].distance - best.distance >= MARGIN
    certainty = Certainty.CERTAIN if alone and best.distance <= certain_up_to(trust(quality), best, bounds) else Certainty.PROBABLE
    return Identity(best.person_id, certainty, best.distance, best.agree, best.references)


def certain_up_to(trusted: float, near: Candidate, bounds: Bounds) -> float:
    """The distance to the person's nearest reference up to which a face is certain; below 0: never."""
    if trusted < MIN_TRUST or near.agree < SHARE_NEAR * near.references:
        return -1.0
    agreed = trusted >= 1 and near.agree >= max(2, SHARE_AGREED * near.references)
    return bounds.certain + (AGREED if agreed else 0.0)


def one_each(found: Sequence[Identity | None]) -> list[Identity | None]:
    """Two faces on one photo are different people: the nearer is certain, if it was, and nothing is claimed of the other."""
    nearest: dict[int, float] = {}
    for each in found:
        if each is not None:
            nearest[each.person_id] = min(each.distance, nearest.get(each.person_id, each.distance))
    taken: set[int] = set()
    kept: list[Identity | None] = []
    for each in found:
        is_it = each is not None and each.distance == nearest[each.person_id] and each.person_id not in taken
        if each is not None and is_it:
            taken.add(each.person_id)
        kept.append(each if is_it else None)
    return kept


def _share(value: float, bounds: tuple[float, float]) -> float:
    """Where a value lies between two others, by ratio: 0 at the first, 1 at the second."""
    nothing, enough = bounds
    return math.log(max(value, 1e-9) / nothing) / math.log(enough / nothing)
