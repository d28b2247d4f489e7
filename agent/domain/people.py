"""Who a face is: an opinion formed from distances to known faces, with bounds and a word for how sure it is."""

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
    """Euclidean distances between L2-normalised embeddings (0 to 2); measured for MobileFaceNet."""

    certain: float = 0.95
    probable: float = 1.05


@dataclass(frozen=True, slots=True)
class Reference:
    """A confirmed face of a known person."""

    person_id: int
    embedding: bytes  # float32, little endian, L2-normalised


@dataclass(frozen=True, slots=True)
class Gallery:
    """The known people as one immutable snapshot; `version` changes with every naming."""

    version: int
    embedder: str
    references: tuple[Reference, ...]


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


# Blurred and tiny faces make false matches (measured): below these a face is never claimed to be certain.
MIN_EYE_DISTANCE = 16.0
MIN_SHARPNESS = 20.0


def trusted(quality: Quality) -> bool:
    """Whether a face shows enough to be certain of."""
    return quality.size >= MIN_EYE_DISTANCE and quality.sharpness >= MIN_SHARPNESS


def identify(candidates: Sequence[Candidate], quality: Quality, bounds: Bounds) -> Identity | None:
    """The nearest person if it is near enough; nothing is claimed beyond the `probable` bound."""
    best = min(candidates, key=lambda candidate: candidate.distance, default=None)
    if best is None or best.distance > bounds.probable:
        return None
    certainty = Certainty.CERTAIN if trusted(quality) and best.distance <= bounds.certain else Certainty.PROBABLE
    return Identity(best.person_id, certainty, best.distance, best.agree, best.references)
