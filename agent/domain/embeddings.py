"""Face prints as they are compared: whose each is said to be, and what is near it."""

from dataclasses import dataclass
from typing import TypeAlias

from agent.domain.face import Quality

# A face's id, and its Euclidean distance (0 to 2).
Near: TypeAlias = tuple[int, float]


@dataclass(frozen=True, slots=True)
class FacePrint:
    """The embedding of one face of the library."""

    face_id: int
    embedding: bytes  # float32, little endian, L2-normalised
    person_id: int = 0  # whose face it is, by the user's word; 0: nobody's, it is no reference
    trust: float = 1.0  # 0 to 1: how far it can be trusted for recognition


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the faces of a group differ."""

    least_alike: tuple[int, ...]  # the faces that differ most from each other, as many as were asked for
    other_half: tuple[int, ...]  # those of the smaller of the two halves into which the group falls most easily
    apart: float  # the mean distance between the halves; 0 for a single face


@dataclass(frozen=True, slots=True)
class FreshPrint:
    """A face print that is stored nowhere."""

    embedding: bytes  # as above
    quality: Quality  # of the face it was made of


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A face that has a print, as groups of unnamed faces are formed: who else is on its photo, who it is, where it was put."""

    face_id: int
    photo_id: int
    person_id: int = 0  # by the user's word; 0: nobody's
    group_id: int = 0  # 0: alone
