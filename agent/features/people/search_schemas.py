"""The API schemas of a search for a face."""

from dataclasses import astuple
from typing import TYPE_CHECKING, Literal, Self

from agent.features.people.schemas import FaceRef
from agent.interfaces.web.schema_base import Schema

if TYPE_CHECKING:
    from agent.features.people.face_search import Alike, FaceSearchResult


class SimilarFace(FaceRef):
    """A face of the library that a search found."""

    certainty: Literal["certain", "probable"]
    """that it is the same person, by its distance to the searched face"""


class AlikeFace(Schema):
    """A face of a photo used for a search."""

    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright photo"""
    person_id: int | None
    certainty: Literal["confirmed", "certain", "probable"] | None
    found: tuple[SimilarFace, ...]
    """faces of the library that look like it, the most alike first"""
    image_id: int | None
    """its photo, if it is a face of the library"""

    @classmethod
    def of(cls, face: "Alike") -> Self:
        return cls(
            box=astuple(face.box),
            person_id=face.identity.person_id if face.identity else None,
            certainty=face.identity.certainty.value if face.identity else None,
            found=tuple(
                SimilarFace.from_record(each.face, box=astuple(each.face.box), certainty=each.certainty.value) for each in face.found
            ),
            image_id=face.image_id,
        )


class FaceSearchOut(Schema):
    width: int
    height: int
    faces: tuple[AlikeFace, ...]

    @classmethod
    def of(cls, found: "FaceSearchResult") -> Self:
        return cls(width=found.width, height=found.height, faces=tuple(map(AlikeFace.of, found.faces)))
