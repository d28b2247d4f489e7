"""The library's results and queries, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from agent.domain.edits import Basis
from agent.domain.errors import AgentError
from agent.domain.events import StoredEvent
from agent.domain.face import Box, Face, StageTimes
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.image import Recipe
from agent.domain.jobs import JobState


class Noted(StrEnum):
    """The result of registering a file."""

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
    ignored: bool = False  # the user is not asked about it


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with its locations and faces. `id` is the image id that logs use."""

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
    taken_at: datetime  # by the camera's clock, or the file's local time; without a zone
    hidden: bool
    favourite: bool
    places: tuple[tuple[int, str], ...]  # (place id, path), existing ones first
    faces: tuple[StoredFace, ...]


@dataclass(frozen=True, slots=True)
class LocationState:
    """A file's state: for `scan`, for the list of problems."""

    place_id: int
    path: str
    image_id: int | None
    job: JobState | None
    error: AgentError | None
    at: datetime


@dataclass(frozen=True, slots=True)
class LocationPage:
    """Some of a list of files, and its total."""

    items: tuple[LocationState, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Portrait:
    """The face that represents a person, and the image to crop it from."""

    image_id: int
    width: int
    height: int
    box: Box


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    faces: int  # faces that are or may be this person
    photos: int  # with these faces
    suggested: int  # of either: not confirmed by the user; each is on its own photo
    references: int = 0  # confirmed pictures of them that are no photos of the library: in none of these numbers
    hidden: bool = False
    never: bool = False  # never recognised
    portrait: Portrait | None = None  # the chosen one, otherwise the one confirmed last, on images that the library page shows


@dataclass(frozen=True, slots=True)
class UnidentifiedFace:
    """A face to identify."""

    face_id: int
    image_id: int
    face: Face
    ruled_out: frozenset[int]  # excluded people


@dataclass(frozen=True, slots=True)
class FaceReference:
    """A face, and where to crop it from."""

    id: int
    image_id: int
    width: int  # of the image, as is its height
    height: int
    box: Box
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class ReferenceFace:
    face: FaceReference
    certainty: Certainty


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """All details of a person except the faces."""

    person: Person
    photos: int  # that the library page shows
    suggested: int  # of these, the ones on which they are not confirmed
    birth_date: date | None
    notes: str
    basis: Basis | None
    basis_at: datetime | None
    named_at: datetime
    confirmed_at: datetime | None
    retention_days: int | None
    watch_at: datetime | None = None  # since then they agree to being named when they appear on the screen


@dataclass(frozen=True, slots=True)
class FaceGroup:
    """A cluster of similar unnamed faces."""

    id: int
    face_ids: tuple[int, ...]  # in no order


@dataclass(frozen=True, slots=True)
class UncertainFace:
    """A face that is probably a known person."""

    face: FaceReference
    person_id: int
    person: str
    agree: int
    references: int
    shown: tuple[FaceReference, ...]  # up to three of the confirmed faces


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of the library and of its queue."""

    images: int  # those that the library page shows: with a file, and not hidden
    faces: int
    people: int
    jobs: Mapping[JobState, int]
    doubts: int = 0  # faces that are probably a known person, for the user to confirm


class Match(StrEnum):
    """How the requested people must be on an image."""

    ALL = "all"
    ANY = "any"
    ONLY = "only"  # all of them, and no others


@dataclass(frozen=True, slots=True)
class Shown:
    """A filter of the library page. Days are those of `taken_at`, inclusive."""

    folder: str | None = None  # only below it
    after: date | None = None
    before: date | None = None
    faces_min: int = 0
    faces_max: int | None = None
    hidden: bool = False  # the hidden ones instead
    people: tuple[int, ...] = ()
    match: Match = Match.ALL
    unnamed: bool = False  # only with an unidentified face
    images: tuple[int, ...] | None = None  # only these
    favourites: bool = False  # only these
    text: str = ""  # only with this in the name of the file or of a folder inside the watched one, ignoring case
    certain: bool = False  # `people` are confirmed or certain there, not only probable
    album: int | None = None  # only its photos


@dataclass(frozen=True, slots=True)
class Album:
    """Photos by hand, or those of people."""

    id: int
    name: str
    match: Match | None  # None: by hand
    people: tuple[int, ...]
    certain: bool  # of people: without photos where they are only probable
    count: int  # photos that are shown
    cover: int | None  # an image
    library_id: int | None = None  # of a server's several
    kept_back: tuple[int, ...] = ()  # of its people, those who are not to be shown inside


@dataclass(frozen=True, slots=True)
class AlbumStep:
    """A change of an album."""

    id: int
    token: str | None  # undoes it; None if nothing changed
    count: int  # photos
    events: tuple[StoredEvent, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """Every image shown, newest taken first; of an album by hand in its order, without days."""

    ids: Sequence[int]
    ratios: Sequence[int]  # of the same images: width by height, in hundredths, 65,535 at most
    days: tuple[tuple[date, int], ...]  # in the same order, with the number of images
