"""The user's decisions about people and faces. Each can be undone; forgetting a person is not among them."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias


class Basis(StrEnum):
    """The basis for keeping a person's face."""

    OWN_CONSENT = "own_consent"
    FAMILY = "family"
    CONTRACT = "contract"
    GUARDIAN = "guardian"  # of a person under 14


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacesEdit:
    """The faces show this person, or the person with this name, created if missing."""

    face_ids: tuple[int, ...]
    person_id: int | None = None
    name: str | None = None
    basis: Basis | None = None
    uid: str | None = None  # the random id of a person who is created
    left_out: tuple[int, ...] = ()  # faces that were shown with these: they do not show this person


@dataclass(frozen=True, slots=True, kw_only=True)
class NameManyEdit:
    """Name several people's faces in a single step: each name with its faces."""

    people: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportNamesEdit:
    """Import names from another program for faces without a user decision, unless the person is never to be recognised.

    A name is imported once: after an undo it stays away until it has disappeared from the file or changed.
    """

    names: tuple[tuple[int, str], ...]  # face, name
    unsaid: tuple[int, ...] = ()  # faces that no longer have an imported name


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectFaces:
    """The faces do not show this person, and are never suggested as them again."""

    face_ids: tuple[int, ...]
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnnameFacesEdit:
    """Remove the confirmed names of the faces."""

    face_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFacesEdit:
    """Stop or resume asking about the faces."""

    face_ids: tuple[int, ...]
    ignored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePeopleEdit:
    """All are the same person: `into` stays."""

    person_ids: tuple[int, ...]
    into: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribePersonEdit:
    """Set the given details, and remove those in `clear`."""

    person_id: int
    name: str | None = None
    birth_date: date | None = None
    notes: str | None = None
    cover_face_id: int | None = None
    hidden: bool | None = None
    never: bool | None = None
    watch: bool | None = None  # whether they agree to being named when they appear on the screen
    basis: Basis | None = None
    retention_days: int | None = None
    clear: frozenset[str] = field(default_factory=frozenset)


Edit: TypeAlias = (
    NameFacesEdit | NameManyEdit | ImportNamesEdit | RejectFaces | UnnameFacesEdit | IgnoreFacesEdit | MergePeopleEdit | DescribePersonEdit
)


@dataclass(frozen=True, slots=True)
class EditStep:
    """An edit that was done, undone or redone, with the people and counts it affected."""

    action: str
    count: int
    faces: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    token: str | None = None  # undoes it; None if nothing changed
    person_id: int | None = None  # the affected person, if it was one person
    partly: bool = False  # of an undone step: what was changed since stays


@dataclass(frozen=True, slots=True)
class ForgottenPerson:
    """What was deleted with a person."""

    faces: int  # faces that are no longer named as this person
    embeddings: int
    chips: int
    undo: int  # steps that can no longer be undone
