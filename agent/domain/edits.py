"""What the user says of people and faces. Each can be taken back; forgetting somebody is not among them."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeAlias


class Basis(StrEnum):
    """Why somebody's face may be kept."""

    OWN_CONSENT = "own_consent"
    FAMILY = "family"
    CONTRACT = "contract"
    GUARDIAN = "guardian"  # of somebody under 14


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFaces:
    """They are this person, or whoever has this name, made if nobody has."""

    face_ids: tuple[int, ...]
    person_id: int | None = None
    name: str | None = None
    basis: Basis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NameMany:
    """Each of these names has these faces: what `NameFaces` says of one, in a single step."""

    people: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptNames:
    """Whom another program says these faces are: it counts where the user has said nothing of the face, or of being recognised.

    It counts once: what was taken away again stays away until it was unsaid, or something else is said.
    """

    names: tuple[tuple[int, str], ...]  # face, name
    unsaid: tuple[int, ...] = ()  # faces of which nothing is said any more


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectFaces:
    """They are not this person, and are never taken for them again."""

    face_ids: tuple[int, ...]
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnnameFaces:
    """They are not who they were confirmed as."""

    face_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IgnoreFaces:
    """Nobody is asked about them any more, or again."""

    face_ids: tuple[int, ...]
    ignored: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePeople:
    """They are all the same person: `into` stays."""

    person_ids: tuple[int, ...]
    into: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribePerson:
    """What is given is changed; what is in `clear` is not known any more."""

    person_id: int
    name: str | None = None
    birth_date: date | None = None
    notes: str | None = None
    cover_face_id: int | None = None
    hidden: bool | None = None
    never: bool | None = None
    watch: bool | None = None  # they agree to being named when they are seen on the screen, or not any more
    basis: Basis | None = None
    retention_days: int | None = None
    clear: frozenset[str] = field(default_factory=frozenset)


Edit: TypeAlias = NameFaces | NameMany | AdoptNames | RejectFaces | UnnameFaces | IgnoreFaces | MergePeople | DescribePerson


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, taken back or done again, and whom and what it touched."""

    action: str
    count: int
    faces: frozenset[int] = frozenset()
    people: frozenset[int] = frozenset()
    token: str | None = None  # takes it back; None if nothing changed
    person_id: int | None = None  # whom it was about, if one person


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What went with a person."""

    faces: int  # of which nobody is told any more who they are
    embeddings: int
    chips: int
    undo: int  # steps that can't be taken back any more
