"""What the library tells, as plain values, and what it is asked with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from agent.domain.edits import Basis
from agent.domain.errors import AgentError
from agent.domain.face import Box, Face, StageTimes
from agent.domain.image import Recipe
from agent.domain.jobs import JobState
from agent.domain.people import Certainty, Identity


class Noted(StrEnum):
    """What came of telling the library about a file."""

    UNCHANGED = "unchanged"
    QUEUED = "queued"
    ATTACHED = "attached"  # its content is known and analysed: one more place for that image; or it is a clip
    HASH_WANTED = (
        "hash_wanted"  # an image of the same size exists, or the clip was of that size when it was copied: say the hash, it may be the same
    )


@dataclass(frozen=True, slots=True)
class StoredFace:
    id: int
    face: Face  # without embedding and chip
    identity: Identity | None
    person: str | None  # the name of `identity.person_id`
    ignored: bool = False  # nobody is asked about it


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with its places and faces. `id` is the image id that logs use."""

    id: int
    sha256: str
    width: int
    height: int
    size: int
    format: str
    recipe: Recipe
    precision: str
    ms: StageTimes
    indexed_at: datetime
    taken_at: datetime  # by the camera's clock, or else by the file's time on this computer's; without a zone
    hidden: bool
    favourite: bool
    places: tuple[tuple[int, str], ...]  # (place id, path), those that exist first
    faces: tuple[StoredFace, ...]


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How a file stands: for `scan`, for the list of problems."""

    place_id: int
    path: str
    image_id: int | None
    job: JobState | None
    error: AgentError | None
    at: datetime


@dataclass(frozen=True, slots=True)
class PlacePage:
    """Some of a list of files, and how many the whole of it has."""

    items: tuple[PlaceState, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """A face by which a person is shown, and the image to cut it from."""

    image_id: int
    width: int
    height: int
    box: Box


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    faces: int  # faces that are or may be this person
    photos: int  # that these are on
    suggested: int  # of either: those that the user has not confirmed; each is on a photo of its own
    hidden: bool = False
    never: bool = False  # never recognised
    portrait: Portrait | None = None  # the chosen one, else the last one the user named, of the images that the library page shows


@dataclass(frozen=True, slots=True)
class ToJudge:
    """A face about which an opinion is to be formed."""

    face_id: int
    image_id: int
    face: Face
    ruled_out: frozenset[int]  # people whom it is not


@dataclass(frozen=True, slots=True)
class FaceRef:
    """A face, and where to cut it from."""

    id: int
    image_id: int
    width: int  # of the image, as its height
    height: int
    box: Box
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class PersonFace:
    face: FaceRef
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All that is known of a person but the faces."""

    person: Person
    photos: int  # that the library page shows
    suggested: int  # of these, the ones on which the user has not confirmed them
    birth_date: date | None
    notes: str
    basis: Basis | None
    basis_at: datetime | None
    named_at: datetime
    confirmed_at: datetime | None
    retention_days: int | None
    watch_at: datetime | None = None  # since then they agree to being named when they are seen on the screen


@dataclass(frozen=True, slots=True)
class FaceGroup:
    """Unnamed faces that look like one person."""

    id: int
    face_ids: tuple[int, ...]  # the best first


@dataclass(frozen=True, slots=True)
class Doubt:
    """A face that is probably somebody."""

    face: FaceRef
    person_id: int
    person: str
    agree: int
    references: int
    shown: tuple[FaceRef, ...]  # up to three of the confirmed faces


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of the library and of its queue."""

    images: int  # those that the library page shows: a file is there, and nobody hid them
    faces: int
    people: int
    jobs: Mapping[JobState, int]
    doubts: int = 0  # faces that are probably somebody, which the user may say


class Match(StrEnum):
    """How the people asked for must be on an image."""

    ALL = "all"
    ANY = "any"
    ONLY = "only"  # all of them, and nobody else


@dataclass(frozen=True, slots=True)
class Shown:
    """Which images the library page shows. Days are those of `taken_at`, inclusive."""

    folder: str | None = None  # only what lies below it
    after: date | None = None
    before: date | None = None
    faces_min: int = 0
    faces_max: int | None = None
    hidden: bool = False  # the hidden ones instead of the others
    people: tuple[int, ...] = ()
    match: Match = Match.ALL
    unnamed: bool = False  # only with a face that nobody is known to be
    images: tuple[int, ...] | None = None  # only these
    favourites: bool = False  # only these
    text: str = ""  # only with this in the name of the file or of a folder inside the watched one, in any case
    certain: bool = False  # `people` are confirmed or certain there, not only probably on it


@dataclass(frozen=True, slots=True)
class Index:
    """Every image shown, newest taken first."""

    ids: tuple[int, ...]
    ratios: tuple[int, ...]  # of the same images: hundredths of width to height
    days: tuple[tuple[date, int], ...]  # in the same order, and how many images each has
