"""The API schemas of people, of faces, and of the user's answers."""

from dataclasses import astuple
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Literal, Self, TypeAlias

from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import LocalTime

if TYPE_CHECKING:
    from agent.domain import edits
    from agent.features.library import records
    from agent.features.people.cluster_cards import GroupCard
    from agent.features.people.review import Question
    from agent.features.people.sidecars import sidecar_conflicts


Basis: TypeAlias = Literal["own_consent", "family", "contract", "guardian"]


class PortraitOut(Schema):
    image_id: int
    width: int
    """of the image, as its height"""
    height: int
    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright image"""

    @classmethod
    def maybe(cls, found: "records.Portrait | None") -> Self | None:
        return cls.from_record(found, box=astuple(found.box)) if found else None


class PersonOut(Schema):
    id: int
    name: str
    faces: int
    photos: int
    """that these are on"""
    suggested: int
    """of either: those that are not confirmed, each on a photo of its own"""
    references: int = 0
    """reference photos of them: they are no photos of the library, and in none of these numbers"""
    hidden: bool = False
    """not shown on the people page, and never asked about"""
    never: bool = False
    """never recognised"""
    overdue: bool = False
    """no face of theirs was confirmed for as long as they may be kept: the user is asked, and a month later they are forgotten"""
    portrait: PortraitOut | None
    """a face to show them by; null if none that was named is among the photos shown"""

    @classmethod
    def of(cls, known: "records.Person", *, overdue: bool = False) -> Self:
        return cls.from_record(known, overdue=overdue, portrait=PortraitOut.maybe(known.portrait))


class FaceRef(Schema):
    """A face, and where to crop it from."""

    id: int
    image_id: int
    width: int
    """of the image, as its height"""
    height: int
    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright image"""
    taken_at: LocalTime
    """by the camera's clock, else the file's time; without a zone"""

    @classmethod
    def of(cls, face: "records.FaceReference", **others: object) -> Self:
        return cls.from_record(face, box=astuple(face.box), **others)


class PersonFace(Schema):
    """A face that is, or may be, a person."""

    face: FaceRef
    certainty: Literal["confirmed", "certain", "probable"]

    @classmethod
    def of(cls, shown: "records.ReferenceFace") -> Self:
        return cls(face=FaceRef.of(shown.face), certainty=shown.certainty.value)


class PersonDetail(Schema):
    """All details of a person except the faces."""

    id: int
    name: str
    faces: int
    photos: int
    suggested: int
    """of `photos`, those on which the person is not confirmed"""
    references: int
    """reference photos of them: they are no photos of the library, and in none of these numbers"""
    portrait: PortraitOut | None
    birth_date: date | None
    notes: str
    hidden: bool
    """not shown on the people page, and never asked about"""
    never: bool
    """never recognised: what was confirmed stays, nothing else is claimed, no face prints but one are kept"""
    basis: Basis | None
    """why the face may be kept"""
    basis_at: datetime | None
    named_at: datetime
    confirmed_at: datetime | None
    """when a face was last confirmed"""
    retention_days: int | None
    """kept for so long after that; null: as the settings say"""
    expires_at: datetime | None
    watch_at: datetime | None
    """since then they agree to being named when they are seen on the screen"""

    @classmethod
    def of(cls, known: "records.PersonFacts", usual_days: int) -> Self:
        """Build from `known`; without a retention time of their own, faces are kept for `usual_days`."""
        since, person = known.confirmed_at or known.named_at, known.person
        return cls.from_record(
            known,
            id=person.id,
            name=person.name,
            faces=person.faces,
            references=person.references,
            portrait=PortraitOut.maybe(person.portrait),
            hidden=person.hidden,
            never=person.never,
            expires_at=since + timedelta(days=known.retention_days or usual_days),
        )

    def without_private_facts(self) -> Self:
        """For members who see people but don't describe them."""
        return self.model_copy(update={"birth_date": None, "notes": "", "basis": None, "basis_at": None, "watch_at": None})


class PersonFaces(Schema):
    """Some of a person's faces, newest first."""

    items: tuple[PersonFace, ...]
    total: int


class Group(Schema):
    """A cluster of similar unnamed faces."""

    id: int
    size: int
    faces: tuple[FaceRef, ...]
    """up to four of them, the least alike: a name that is given here is theirs, the others become suggestions"""
    doubtful: bool
    """it may be two people's: it is looked at before it is named"""

    @classmethod
    def of(cls, found: "GroupCard") -> Self:
        return cls.from_record(found, faces=tuple(map(FaceRef.of, found.faces)))


class Groups(Schema):
    """Clusters, the largest first."""

    items: tuple[Group, ...]
    total: int


class GroupFaces(Schema):
    """Every face of a cluster, the best first; if it may be two people's, half after half."""

    items: tuple[FaceRef, ...]
    doubtful: bool


class KnownFace(FaceRef):
    """A certainly identified face, shown beside one that may be the same person."""

    agrees: bool
    """the other looks like it; of what doesn't, nothing can be said"""


class Doubt(Schema):
    """A face that is probably a person, for the user to decide."""

    face: FaceRef
    person_id: int
    person: str
    agree: int
    references: int
    shown: tuple[KnownFace, ...]
    """up to three of the references, those that agree first"""

    @classmethod
    def of(cls, asked: "Question") -> Self:
        shown = tuple(KnownFace.of(face, agrees=face.id in asked.agree) for face in asked.shown)
        return cls.from_record(asked.doubt, face=FaceRef.of(asked.doubt.face), shown=shown)


class Doubts(Schema):
    """Some of the doubtful faces, the most certain first."""

    items: tuple[Doubt, ...]
    total: int


class NameConflict(Schema):
    """A face with a different name in another program's sidecar or the photo: nothing changes until the user decides."""

    face: FaceRef
    person_id: int
    """the person that the user calls `ours`"""
    ours: str
    theirs: str

    @classmethod
    def of(cls, found: "sidecar_conflicts.FoundConflict", face: "records.FaceReference") -> Self:
        return cls.from_record(found, face=FaceRef.of(face))


class Edited(Schema):
    undo: str | None
    """takes it back, also after a restart; null if nothing changed"""
    count: int
    """faces or people it changed"""
    person_id: int | None
    """the person concerned, if it is a single person who still exists"""


class Verified(Schema):
    distance: float
    same: bool
    threshold: float
    """the same person up to this distance"""


class Step(Schema):
    """An undone or redone step."""

    action: str
    """`name`, `reject`, `unname`, `ignore`, `unignore`, `merge`, `describe`, `corrected`, `hide`, `unhide`, `favourite`, `unfavourite`"""
    count: int
    partly: bool = False
    """not all of it was undone: what was changed since stays"""

    @classmethod
    def of(cls, done: "edits.EditStep") -> Self:
        return cls(action=done.action, count=done.count, partly=done.partly)


class Steps(Schema):
    """The steps that can be undone and redone."""

    undo: Step | None
    redo: Step | None


class Forgotten(Schema):
    """The data deleted with a forgotten person."""

    faces: int
    embeddings: int
    """face prints"""
    chips: int
    """pictures of faces"""
    undo: int
    """steps that can't be taken back any more"""
