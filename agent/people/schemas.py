"""The shapes of what is known about people, of what is asked about faces, and of what the user says to it."""

from datetime import date, datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints, model_validator

from agent.web.schemas import FilePath, Id, PortraitOut, Schema

Ids: TypeAlias = Annotated[tuple[Id, ...], Field(min_length=1, max_length=100_000)]
PersonName: TypeAlias = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Basis: TypeAlias = Literal["own_consent", "family", "contract", "guardian"]


class FaceRef(Schema):
    """A face, and where to cut it from."""

    id: int
    image_id: int
    width: int
    """of the image, as its height"""
    height: int
    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright image"""
    taken_at: datetime
    """by the camera's clock, else the file's time; without a zone"""


class PersonFace(Schema):
    """A face that is a person, or may be."""

    face: FaceRef
    certainty: Literal["confirmed", "certain", "probable"]


class PersonDetail(Schema):
    """All that is known of a person but the faces."""

    id: int
    name: str
    faces: int
    photos: int
    suggested: int
    """of `photos`, those on which the person is not confirmed"""
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


class PersonFaces(Schema):
    """Some of a person's faces, newest taken first."""

    items: tuple[PersonFace, ...]
    total: int


class Group(Schema):
    """Faces that look like one person whom nobody has named."""

    id: int
    size: int
    faces: tuple[FaceRef, ...]
    """up to four of them, the least alike: a name that is given here is theirs, the others become suggestions"""
    doubtful: bool
    """it may be two people's: it is looked at before it is named"""


class Groups(Schema):
    """The largest first."""

    items: tuple[Group, ...]
    total: int


class GroupFaces(Schema):
    """Every face of a group, the best first; of one that may be two people's, half after half."""

    items: tuple[FaceRef, ...]
    doubtful: bool


class KnownFace(FaceRef):
    """A face that is somebody for certain, shown beside one that may be them."""

    agrees: bool
    """the other looks like it; of what doesn't, nothing can be said"""


class Doubt(Schema):
    """A face that is probably somebody: the user says."""

    face: FaceRef
    person_id: int
    person: str
    agree: int
    references: int
    shown: tuple[KnownFace, ...]
    """up to three of the references, those that agree first"""


class Doubts(Schema):
    """Some of what waits for an answer, the surest first."""

    items: tuple[Doubt, ...]
    total: int


class NameConflict(Schema):
    """A face that another photo program calls otherwise, in a sidecar or the photo: the user decides, and nothing is changed before."""

    face: FaceRef
    person_id: int
    """whom the user calls `ours`"""
    ours: str
    theirs: str


class KeepNames(Schema):
    """What the user calls these faces counts, whatever another program calls them."""

    face_ids: Ids
    kept: bool = True
    """false takes that back"""


# -- what the user says ------------------------------------------------------------------------------------------------------------


class NameFaces(Schema):
    """They are this person: one that is known (`person_id`), or whoever has this name, made if nobody has; one of both is said."""

    kind: Literal["name"]
    face_ids: Ids
    person_id: Id | None = None
    name: PersonName | None = None
    basis: Basis | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.person_id is None) == (self.name is None):
            raise ValueError("either a person or a name")
        return self


class PersonsFaces(Schema):
    name: PersonName
    face_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10_000_000)]


class NameMany(Schema):
    """Each of these names has these faces, as one step."""

    kind: Literal["name_many"]
    people: Annotated[tuple[PersonsFaces, ...], Field(min_length=1, max_length=1_000_000)]


class NotThisPerson(Schema):
    """They are not this person, and are never taken for them again."""

    kind: Literal["reject"]
    face_ids: Ids
    person_id: Id


class UnnameFaces(Schema):
    """They are nobody's any more: whoever they were confirmed as, they are not."""

    kind: Literal["unname"]
    face_ids: Ids


class IgnoreFaces(Schema):
    """Nobody is asked about them any more, or again."""

    kind: Literal["ignore", "unignore"]
    face_ids: Ids


class MergePeople(Schema):
    """They are all the same person: `into` stays."""

    kind: Literal["merge"]
    person_ids: Ids
    into: Id


class DescribePerson(Schema):
    """What is given is changed, and nothing else."""

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


class Edited(Schema):
    undo: str | None
    """takes it back, also after a restart; null if nothing changed"""
    count: int
    """faces or people it changed"""
    person_id: int | None
    """whom it was about, if that is one person who is still there"""


class Undo(Schema):
    undo: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """null: the latest step"""


class VerifyRequest(Schema):
    paths: tuple[FilePath, FilePath]
    """two photos of one face each"""


class Verified(Schema):
    distance: float
    same: bool
    threshold: float
    """the same person up to this distance"""


class AlikeFace(Schema):
    """A face of a photo that was searched with."""

    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright photo"""
    person_id: int | None
    certainty: Literal["confirmed", "certain", "probable"] | None
    found: tuple[FaceRef, ...]
    """faces of the library that look like it, the most alike first"""


class FaceSearchOut(Schema):
    width: int
    height: int
    faces: tuple[AlikeFace, ...]


class Step(Schema):
    """What was taken back, or done again."""

    action: str
    """`name`, `reject`, `unname`, `ignore`, `unignore`, `merge`, `describe`, `hide`, `unhide`, `favourite`, `unfavourite`"""
    count: int


class Steps(Schema):
    """What there is to take back and to do again."""

    undo: Step | None
    redo: Step | None


class Forgotten(Schema):
    """What went when a person was forgotten."""

    faces: int
    embeddings: int
    """face prints"""
    chips: int
    """pictures of faces"""
    undo: int
    """steps that can't be taken back any more"""
