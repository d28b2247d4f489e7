"""The shapes that cross the HTTP API; the UI's types are generated from them."""

import os
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

_LONGEST_PATH: Final = 4_096

Id: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]


def _of_a_file(path: str) -> str:
    """Refuse what no file can be called. Bytes that are no text pass: Python holds them as halves of characters."""
    if "\0" in path or not 1 <= len(path) <= _LONGEST_PATH:
        raise ValueError("not a path")
    os.fsencode(path)  # UnicodeEncodeError is a ValueError
    return path


# The lengths are only told here: Pydantic refuses to count letters of a path that is no text.
FilePath = Annotated[str, AfterValidator(_of_a_file), Field(json_schema_extra={"minLength": 1, "maxLength": _LONGEST_PATH})]


class Schema(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class PhotoCopiedOut(Schema):
    """What was put on the clipboard."""

    covered: int
    """faces"""
    doubtful: bool
    """a face may have been missed: it is to be reviewed before it is shared"""


class Problem(Schema):
    """An error as the user meets it, in the program's language."""

    code: str
    cause: str
    remedy: str
    setting: str | None = None
    """the setting that would help, or that is wrong, such as `engine.max_megapixels`"""
    line: int | None = None
    """where the settings file is wrong"""
    params: dict[str, str | int | float] = {}
    """what the words are about"""


class FaceOut(Schema):
    id: int
    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright image"""
    score: float
    person_id: int | None
    person: str | None
    certainty: Literal["confirmed", "certain", "probable"] | None
    agree: int
    """references that agree, of `references`"""
    references: int
    ignored: bool = False
    """nobody is asked about it"""


class ImageOut(Schema):
    id: int
    name: str
    """file name"""
    folder: str
    """name of the folder it lies in"""
    path: str
    places: int
    """how many files hold this image"""
    width: int
    height: int
    faces: tuple[FaceOut, ...]
    indexed_at: datetime
    taken_at: datetime
    """by the camera's clock, else the file's time; without a zone"""
    size: int
    """bytes"""
    format: str
    """"jpeg", "png", ..."""
    hidden: bool
    favourite: bool


class Images(Schema):
    items: tuple[ImageOut, ...]


class ImagePage(Schema):
    items: tuple[ImageOut, ...]
    next: int | None
    """pass as `before` for the following page; null at the end"""


class Day(Schema):
    day: date
    count: int


class LibraryIndex(Schema):
    """Every image that matches, newest taken first: enough to lay out the whole page."""

    ids: tuple[int, ...]
    ratios: tuple[int, ...]
    """of the same images: width * 100 / height, rounded"""
    days: tuple[Day, ...]
    """in the same order: so many images are of each day"""
    total: int


class LibraryAction(Schema):
    action: Literal["hide", "unhide", "favourite", "unfavourite", "look_again"]
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=1_000_000)]


class LibraryActionDone(Schema):
    undo: str | None
    """takes it back, also after a restart; null if nothing changed or it can't be taken back"""
    count: int
    """images it changed, or that are looked at again"""


class LibraryUndo(Schema):
    undo: Annotated[str, Field(min_length=1, max_length=100)]


class FolderOut(Schema):
    """A watched folder."""

    path: str
    name: str
    images: int
    problem: Problem | None


class SubfolderOut(Schema):
    """A folder inside a watched one."""

    path: str
    name: str
    images: int
    """at any depth"""
    nested: bool
    """whether it holds folders with images"""


class PlaceProblem(Schema):
    """A file that could not be analysed."""

    place_id: int
    name: str
    path: str
    quarantined: bool
    at: datetime
    problem: Problem
    action: Literal["retry", "show", "settings", "clear"]
    """what helps: to try the file again, to look at it in its folder, to change a setting, or to speak of it no more"""


class PlaceProblems(Schema):
    """Some of a list of files, newest first."""

    items: tuple[PlaceProblem, ...]
    total: int
    """of the whole list"""


class Burst(Schema):
    """The work under way, while more than a few photos wait."""

    done: int
    total: int
    rate: float
    """photos per second, lately"""
    seconds_left: float | None
    faces: int
    """found in this burst"""
    people: int
    """known ones who are on its photos"""
    failed: int


class Finished(Schema):
    """What came of a burst."""

    photos: int
    """that could be looked at"""
    with_faces: int
    failed: int


class FolderState(Schema):
    path: str
    name: str
    problem: Problem | None


class Status(Schema):
    """What the agent does now: sent whole whenever it changes, at most a few times a second."""

    version: str
    state: Literal["idle", "working", "paused", "attention"]
    language: Literal["en", "zh-CN"]
    theme: Literal["auto", "light", "dark"]
    letter_keys: bool = True
    """keys of one letter do something"""
    recognition: bool
    popup_seconds: int
    """the popup hides after this long"""
    queued: int
    failed: int
    """files that could not be analysed, those set aside included"""
    images: int
    """in the library: a file is there, and nobody hid them"""
    faces: int
    people: int
    doubts: int = 0
    """faces that are probably somebody: the user may say"""
    people_changed: int = 0
    """grows when groups or opinions about faces were formed, which no event tells"""
    captures: int = 0
    """of the screen, open for review"""
    captures_changed: int = 0
    """grows when one of them comes, changes or goes"""
    watch: Literal["off", "on", "paused", "snoozed", "battery", "locked", "call", "failed"] = "off"
    """whether the screen is watched for faces, or why it is not just now"""
    watch_until: datetime | None = None
    """it is snoozed until then"""
    watch_said: int = 0
    """grows with everything that is said of it"""
    watch_problem: Problem | None = None
    """why it is not watched although it should be"""
    update: str | None = None
    """a newer version that waits to be installed"""
    taken_back: Problem | None = None
    """the last new version did not come up"""
    burst: Burst | None
    folders: tuple[FolderState, ...]
    problem: Problem | None
    """what stops the work (`state` is attention)"""
    quiet_until: datetime | None = None
    """no popup until then"""
    online_only: int = 0
    """files whose content lies in a cloud: not looked at until asked for"""
    throttled: Literal["battery", "battery_low", "busy"] | None = None
    """why the engine does not work as hard as it might"""
    warning: Problem | None = None
    """the work goes on, but somebody should know: the engine passed its memory limit"""
    device_note: str | None = None
    """a device that was wanted and is not used, and why"""
    finished: Finished | None = None
    """the last burst, until the next photo comes"""


class EventOut(Schema):
    """Something that happened; references only."""

    id: int
    at: datetime
    kind: Literal[
        "image_indexed",
        "place_added",
        "place_moved",
        "place_lost",
        "image_failed",
        "images_hidden",
        "favourites_changed",
        "person_named",
        "people_changed",
        "recognition_purged",
    ]
    image_id: int | None = None
    place_id: int | None = None
    person_id: int | None = None
    faces: int | None = None
    embeddings: int | None = None
    """face prints that were deleted"""
    chips: int | None = None
    """pictures of faces that were deleted"""
    code: str | None = None


class PortraitOut(Schema):
    image_id: int
    width: int
    """of the image, as its height"""
    height: int
    box: tuple[float, float, float, float]
    """left, top, width, height in pixels of the upright image"""


class PersonOut(Schema):
    id: int
    name: str
    faces: int
    photos: int
    """that these are on"""
    suggested: int
    """of either: those that are not confirmed, each on a photo of its own"""
    hidden: bool = False
    """not shown on the people page, and never asked about"""
    never: bool = False
    """never recognised"""
    overdue: bool = False
    """no face of theirs was confirmed for as long as they may be kept: the user is asked, and a month later they are forgotten"""
    portrait: PortraitOut | None
    """a face to show them by; null if none that was named is among the photos shown"""


class Draft(Schema):
    """A name that was begun for a face and not yet given; empty is none."""

    face_id: int
    name: Annotated[str, StringConstraints(max_length=200)]


class NameFace(Schema):
    face_id: int
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
