"""Embeddings as they are compared: the person of each, and its neighbours."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from agent.domain.face import Quality

# A face's id, and its Euclidean distance (0 to 2).
Near: TypeAlias = tuple[int, float]


@dataclass(frozen=True, slots=True)
class FaceEmbedding:
    """The embedding of one face of the library."""

    face_id: int
    embedding: bytes  # float32, little endian, L2-normalised
    person_id: int = 0  # the person, by the user's confirmation; 0: none, it is no reference
    trust: float = 1.0  # 0 to 1: its weight in recognition
    clear: bool = True  # as a reference it can make other faces certain


@dataclass(frozen=True, slots=True)
class Spread:
    """How much the faces of a cluster differ."""

    least_alike: tuple[int, ...]  # the faces that differ most from each other, as many as requested
    other_half: tuple[int, ...]  # the faces in the smaller of the two halves into which the cluster splits most easily
    apart: float  # the mean distance between the halves; 0 for a single face


@dataclass(frozen=True, slots=True)
class UnsavedEmbedding:
    """An embedding that is stored nowhere."""

    embedding: bytes  # as in FacePrint
    quality: Quality  # of its face


@dataclass(frozen=True, slots=True)
class ClusterInput:
    """A face with an embedding, as input to clustering: its photo, its person, its cluster."""

    face_id: int
    photo_id: int
    person_id: int = 0  # by the user's confirmation; 0: none
    group_id: int = 0  # 0: alone; -1: not clustered yet


@dataclass(frozen=True, slots=True)
class ClusterInputs:
    """Many of them, by column, in a tenth of the memory; and pairs of faces to keep apart."""

    faces: bytes  # each column: 64-bit integers, see `numbers`
    photos: bytes
    people: bytes
    groups: bytes
    cannot: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, members: Iterable[ClusterInput], cannot: Iterable[tuple[int, int]] = ()) -> "ClusterInputs":
        """`members` are consumed one by one."""
        faces, photos, people, groups = array("q"), array("q"), array("q"), array("q")
        for each in members:
            faces.append(each.face_id)
            photos.append(each.photo_id)
            people.append(each.person_id)
            groups.append(each.group_id)
        return cls(faces.tobytes(), photos.tobytes(), people.tobytes(), groups.tobytes(), tuple(cannot))


def numbers(column: bytes) -> "memoryview[int]":
    """Read a column without copying it. Raises TypeError if it does not consist of whole numbers."""
    return memoryview(column).cast("q")
