"""The API schemas of the library: images with their faces, watched folders, and files that could not be analysed."""

from datetime import date, datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import Field

from agent.domain.errors import (
    AgentError,
    EngineMemory,
    EngineTimeout,
    ImageChanged,
    ImageError,
    ImageMissing,
    ImageOnlineOnly,
    ImageTooLarge,
    ImageUnreadable,
    Unexpected,
)
from agent.domain.jobs import JobState
from agent.domain.path_text import is_remote, printable
from agent.domain.reading_order import in_rows
from agent.infrastructure.core.access_scope import current_scope, shown_path
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Folder
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Id, LocalTime, Problem

if TYPE_CHECKING:
    from agent.features.library import records

Action: TypeAlias = Literal["retry", "show", "settings", "clear"]


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
    """the user is not asked about it"""

    @classmethod
    def of(cls, stored: "records.StoredFace") -> Self:
        box, identity = stored.face.box, stored.identity
        return cls(
            id=stored.id,
            box=(box.x, box.y, box.w, box.h),
            score=stored.face.score,
            person_id=identity.person_id if identity else None,
            person=stored.person,
            certainty=identity.certainty.value if identity else None,
            agree=identity.agree if identity else 0,
            references=identity.references if identity else 0,
            ignored=stored.ignored,
        )


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
    taken_at: LocalTime
    """by the camera's clock, else the file's time; without a zone"""
    size: int
    """bytes"""
    format: str
    """"jpeg", "png", ..."""
    hidden: bool
    favourite: bool

    @classmethod
    def of(cls, stored: "records.StoredImage") -> Self:
        shown = shown_path(stored.places[0][1]) if stored.places else ""
        path = PurePath(shown)
        whole = shown if is_remote(shown) else str(path)
        faces = tuple(FaceOut.of(stored.faces[at]) for at in in_rows([found.face.box for found in stored.faces]))
        return cls.from_record(
            stored,
            name=path.name,
            folder=path.parent.name,
            path=whole,
            places=len(stored.places),
            faces=faces,
        )


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
    """Every matching image, newest first: enough to lay out the whole page."""

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


class FolderOut(Schema):
    """A watched folder."""

    path: str
    name: str
    """to be shown: its own, unless it has another one"""
    images: int
    problem: Problem | None

    @classmethod
    def of(cls, watched: Folder, name: str | None, images: int, error: AgentError | None, texts: Texts) -> Self:
        """`name` is the one that it has in place of its own. A library's only folder is called as the library."""
        path = printable(watched.path) if current_scope() is None else shown_path(watched.root)
        own = PurePath(path).name
        return cls(path=path, name=own if name is None or path == own else name, images=images, problem=Problem.maybe(error, texts))


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
    action: Action
    """what helps: to try the file again, to look at it in its folder, to change a setting, or to speak of it no more"""

    @classmethod
    def of(cls, place: "records.LocationState", texts: Texts) -> Self:
        path = printable(place.path)
        return cls(
            place_id=place.place_id,
            name=PurePath(path).name,
            path=path,
            quarantined=place.job is JobState.QUARANTINED,
            at=place.at,
            problem=Problem.of(place.error or Unexpected(kind="unknown"), texts),
            action=_action(place.error),
        )


def _action(error: AgentError | None) -> Action:
    """Return the button for an error of a file."""
    match error:
        case ImageTooLarge() | EngineTimeout() | EngineMemory():
            return "settings"
        case ImageMissing():
            return "clear"  # there is nothing to show or retry
        case ImageUnreadable() | ImageChanged() | ImageOnlineOnly():
            return "retry"
        case ImageError():
            return "show"  # it stays until the file is fixed
        case _:
            return "retry"


class PlaceProblems(Schema):
    """Some of a list of files, newest first."""

    items: tuple[PlaceProblem, ...]
    total: int
    """of the whole list"""
