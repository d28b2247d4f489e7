"""What a desktop agent and its team server say to each other of photos.

Of those that stay on its computer, it tells what was found, and no pixels; others are sent whole.
"""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from agent.interfaces.web.desk_exchange import MOST_PHOTOS, Figure, Sequence
from agent.interfaces.web.schema_base import Schema

MOST_FACES: Final = 2_000
Content: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word: TypeAlias = Annotated[str, Field(max_length=100)]
# `there`: the library has it. `sent`: this desk sent it once; it is not sent again, even if the team deleted it.
ContentState: TypeAlias = Literal["there", "sent"]


class FaceResult(Schema):
    """A face that was found, without its print."""

    x: Figure
    y: Figure
    w: Figure
    h: Figure
    score: Figure
    landmarks: Annotated[tuple[tuple[Figure, Figure], ...], Field(min_length=5, max_length=5)]
    size: Figure
    sharpness: Figure
    yaw: Figure
    roll: Figure
    covered: Figure


class PhotoResult(Schema):
    """What was found in a photo."""

    sha256: Content
    size: Sequence
    width: Annotated[int, Field(ge=1, lt=2**31)]
    height: Annotated[int, Field(ge=1, lt=2**31)]
    format: Word
    detector: Word
    precision: Word
    taken_at: datetime
    faces: Annotated[tuple[FaceResult, ...], Field(max_length=MOST_FACES)] = ()


class PhotoResults(Schema):
    """`library`: the name of the one they go to; empty if there is only one that the member may add photos to."""

    items: Annotated[tuple[PhotoResult, ...], Field(max_length=MOST_PHOTOS)]
    library: Annotated[str, Field(max_length=200)] = ""


class PhotoTaken(Schema):
    """`known`: the server had that photo from elsewhere. `elsewhere`: it is in libraries beyond the member's reach, and nothing changed."""

    sha256: Content
    state: Literal["taken", "known", "elsewhere"]


class PhotosTaken(Schema):
    items: tuple[PhotoTaken, ...]


class PhotosBack(Schema):
    """Photos whose results the desk takes back."""

    items: Annotated[tuple[Content, ...], Field(max_length=MOST_PHOTOS)]


class ContentsAsked(Schema):
    """`library`: the name of the one they go to; empty if there is only one that the member may add photos to."""

    items: Annotated[tuple[Content, ...], Field(max_length=MOST_PHOTOS)]
    library: Annotated[str, Field(max_length=200)] = ""


class ContentKnown(Schema):
    sha256: Content
    state: ContentState


class ContentsKnown(Schema):
    """Those that need not be sent, and the number of the library the others go to."""

    items: tuple[ContentKnown, ...]
    library: int | None


class ContentsRemoved(Schema):
    """Photos that the desk had sent and that the server is to delete; None: all that this desk sent or told of."""

    items: Annotated[tuple[Content, ...], Field(max_length=MOST_PHOTOS)] | None = None


class RemovedOfDesk(Schema):
    """What was deleted on the server. `more`: ask again."""

    photos: Annotated[int, Field(ge=0)]
    """files that the desk had sent"""
    results: Annotated[int, Field(ge=0)]
    """photos of which the desk had told what it found"""
    stays: Annotated[int, Field(ge=0)]
    """photos it had sent that others sent, too, or that were moved or changed on the server since"""
    more: bool = False


class DeskOut(Schema):
    """A computer that joined, or left something behind."""

    id: str
    computer: str
    member: str
    joined: bool
    results: int
    photos: int


class DesksOut(Schema):
    items: tuple[DeskOut, ...]
