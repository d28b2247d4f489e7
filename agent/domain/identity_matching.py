"""Identification of a face from its distances to known faces, with thresholds and a certainty.

docs/decisions/0011 describes the data behind these figures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent.domain.face import Quality


class Certainty(StrEnum):
    CONFIRMED = "confirmed"  # by the user
    CERTAIN = "certain"
    PROBABLE = "probable"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Euclidean distances between L2-normalised embeddings (0 to 2). Defaults: `agent.infrastructure.core.settings.RecognitionSettings`."""

    certain: float
    probable: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face's distance to one person."""

    person_id: int
    nearest: float  # distance to the nearest reference
    agree: int  # references within the `probable` threshold
    references: int  # the person's number of references
    typical: float | None = None  # distance to the mean of all references; None: as `nearest`, which it is for a single one
    clear: float | None = None  # distance to the nearest clear reference, see `is_clear`; None: as `nearest`

    @property
    def distance(self) -> float:
        """Return the distance that counts: halfway between the nearest reference and the mean of all."""
        return (self.nearest + (self.nearest if self.typical is None else self.typical)) / 2

    @property
    def sure_distance(self) -> float:
        """Return the same with clear references only."""
        return self.distance + (0 if self.clear is None else (self.clear - self.nearest) / 2)


@dataclass(frozen=True, slots=True)
class Identity:
    """The identification of a face."""

    person_id: int
    certainty: Certainty
    distance: float
    agree: int
    references: int


# A face with this much of a property loses nothing; with that little, it says nothing. In between it counts in proportion.
EYE_DISTANCE = (9.0, 16.0)
# Any two blurred faces are similar, even of different people: below 80 one wrong pair in 300 is nearer than `Bounds.certain`.
SHARPNESS = (40.0, 170.0)
YAW = (60.0, 30.0)
# A face trusted less is never certain.
MIN_TRUST = 0.5
# Nor is one that is more probably covered: two masks are alike on any face.
MOST_COVERED = 0.5
# Among many references one may be near by chance: at least a third must be within `Bounds.probable`. This holds for 98 in 100 of a person's
# own faces; strangers' faces never had more than a fifth of ten references, a tenth of forty.
SHARE_NEAR = 1 / 3
# If half of them, and at least two, are near, a fully trusted face may be this much farther from the nearest.
AGREED, SHARE_AGREED = 0.03, 1 / 2
# A second person who is nearly as near may be the right one: siblings, parents and children.
MARGIN = 0.10


def trust(quality: Quality) -> float:
    """Return a face's trust for recognition, 0 to 1, by its worst figure: too small, blurred, or turned away.

    >>> trust(Quality(size=60, sharpness=400, yaw=10, roll=90)), trust(Quality(size=60, sharpness=40, yaw=10, roll=0))
    (1.0, 0.0)
    """
    nothing, enough = YAW
    turned = (nothing - abs(quality.yaw)) / (nothing - enough)
    return max(0.0, min(1.0, _share(quality.size, EYE_DISTANCE), _share(quality.sharpness, SHARPNESS), turned))


def is_clear(quality: Quality, trusted: float | None = None) -> bool:
    """Return whether a face shows enough to be certain, or to make another one certain; `trusted` is its trust, where that is known."""
    return (trust(quality) if trusted is None else trusted) >= MIN_TRUST and quality.covered <= MOST_COVERED


def identify(candidates: Sequence[Candidate], quality: Quality, bounds: Bounds) -> Identity | None:
    """Return the nearest person if near enough; beyond the `probable` threshold, return None."""
    nearest = sorted(candidates, key=lambda candidate: candidate.distance)[:2]
    if not nearest or nearest[0].distance > bounds.probable:
        return None
    best, trusted = nearest[0], trust(quality)
    alone = len(nearest) < 2 or nearest[1].distance - best.distance >= MARGIN
    sure = alone and is_clear(quality, trusted) and best.sure_distance <= certain_up_to(trusted, best, bounds)
    certainty = Certainty.CERTAIN if sure else Certainty.PROBABLE
    return Identity(best.person_id, certainty, best.distance, best.agree, best.references)


def clearly_another(candidates: Sequence[Candidate], person_id: int, bounds: Bounds) -> int | None:
    """Return the person that a face of `person_id` resembles instead; None if its own is as near, or no other is near enough."""
    nearest = min(candidates, key=lambda candidate: candidate.distance, default=None)
    if nearest is None or nearest.person_id == person_id or nearest.distance > bounds.probable:
        return None
    own = min((each.distance for each in candidates if each.person_id == person_id), default=math.inf)
    return nearest.person_id if own - nearest.distance >= MARGIN else None


def certain_up_to(trusted: float, near: Candidate, bounds: Bounds) -> float:
    """Return the largest distance to the person at which a face is certain; below 0: never."""
    if trusted < MIN_TRUST or near.agree < SHARE_NEAR * near.references:
        return -1.0
    agreed = trusted >= 1 and near.agree >= max(2, SHARE_AGREED * near.references)
    return bounds.certain + (AGREED if agreed else 0.0)


def assign_unique(found: Sequence[Identity | None]) -> list[Identity | None]:
    """Assign each person to at most one face of a photo: the nearest one stays certain, if it was; the others get no identity."""
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
    """Return where a value lies between two others: 0 at the first, 1 at the second."""
    nothing, enough = bounds
    return math.log(max(value, 1e-9) / nothing) / math.log(enough / nothing)


@dataclass(frozen=True, slots=True)
class IdentificationResult:
    """What a fresh analysis was judged to show, when, and what the library knew of its faces before."""

    identities: tuple[Identity | None, ...]  # in the order of its faces
    version: int = 0
    faces_before: frozenset[int] = frozenset()
