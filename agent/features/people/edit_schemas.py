"""The API schemas of edits of people and faces."""

from datetime import date
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from agent.domain import edits
from agent.features.people.schemas import Basis
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath, Id

Ids: TypeAlias = Annotated[tuple[Id, ...], Field(min_length=1, max_length=100_000)]
PersonName: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class NameFaces(Schema):
    """Name faces as a known person (`person_id`), or as the person with this name, created if missing; exactly one is given."""

    kind: Literal["name"]
    face_ids: Ids
    person_id: Id | None = None
    name: PersonName | None = None
    basis: Basis | None = None
    left_out: Annotated[tuple[Id, ...], Field(max_length=100_000)] = ()
    """faces that were shown with these: they are rejected for the person, in the same step"""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.person_id is None) == (self.name is None):
            raise ValueError("either a person or a name")
        return self


class PersonsFaces(Schema):
    name: PersonName
    face_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10_000_000)]


class NameMany(Schema):
    """Name several people's faces, as one step."""

    kind: Literal["name_many"]
    people: Annotated[tuple[PersonsFaces, ...], Field(min_length=1, max_length=1_000_000)]


class NotThisPerson(Schema):
    """Reject the person for these faces, permanently."""

    kind: Literal["reject"]
    face_ids: Ids
    person_id: Id


class UnnameFaces(Schema):
    """Remove the confirmed person from these faces."""

    kind: Literal["unname"]
    face_ids: Ids


class IgnoreFaces(Schema):
    """Stop or resume asking about these faces."""

    kind: Literal["ignore", "unignore"]
    face_ids: Ids


class MergePeople(Schema):
    """Merge people: `into` stays."""

    kind: Literal["merge"]
    person_ids: Ids
    into: Id


class DescribePerson(Schema):
    """Change the given details, and no others."""

    kind: Literal["describe"]
    person_id: Id
    name: PersonName | None = None
    birth_date: date | None = None
    notes: Annotated[str, Field(max_length=10_000)] | None = None
    cover_face_id: Id | None = None
    hidden: bool | None = None
    never: bool | None = None
    watch: bool | None = None
    """they agree to being named when they are seen on the screen; false withdraws it"""
    basis: Basis | None = None
    retention_days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    clear: tuple[Literal["birth_date", "cover_face_id", "basis", "retention_days"], ...] = ()
    """what is not known any more"""


Edit: TypeAlias = Annotated[
    NameFaces | NameMany | NotThisPerson | UnnameFaces | IgnoreFaces | MergePeople | DescribePerson, Field(discriminator="kind")
]


def wish(asked: Edit) -> edits.Edit:
    """Return the use cases' edit."""
    match asked:
        case NameFaces():
            basis = _basis(asked.basis)
            return edits.NameFacesEdit(
                face_ids=asked.face_ids, person_id=asked.person_id, name=asked.name, basis=basis, left_out=asked.left_out
            )
        case NameMany():
            return edits.NameManyEdit(people=tuple((each.name, each.face_ids) for each in asked.people))
        case NotThisPerson():
            return edits.RejectFaces(face_ids=asked.face_ids, person_id=asked.person_id)
        case UnnameFaces():
            return edits.UnnameFacesEdit(face_ids=asked.face_ids)
        case IgnoreFaces():
            return edits.IgnoreFacesEdit(face_ids=asked.face_ids, ignored=asked.kind == "ignore")
        case MergePeople():
            return edits.MergePeopleEdit(person_ids=asked.person_ids, into=asked.into)
        case DescribePerson():
            said = asked.model_dump(exclude={"kind", "basis", "clear"})
            return edits.DescribePersonEdit(**said, basis=_basis(asked.basis), clear=frozenset(asked.clear))


def _basis(said: Basis | None) -> edits.Basis | None:
    return None if said is None else edits.Basis(said)


class KeepNames(Schema):
    """Keep the user's names for these faces, whatever other programs call them."""

    face_ids: Ids
    kept: bool = True
    """false takes that back"""


class Undo(Schema):
    undo: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """null: the latest step"""


class LibraryUndo(Schema):
    undo: Annotated[str, Field(min_length=1, max_length=100)]


class Draft(Schema):
    """A partly typed name of a face; empty removes it."""

    face_id: int
    name: Annotated[str, StringConstraints(max_length=200)]


class NameFace(Schema):
    face_id: int
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class VerifyRequest(Schema):
    paths: tuple[FilePath, FilePath]
    """two photos of one face each"""
