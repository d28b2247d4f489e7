"""What a desktop agent tells its team server of photos that stay on its computer: what was found in them, and no pixels."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from agent.web.base_schema import Schema
from agent.web.desk_exchange import MOST_PHOTOS, Figure, Sequence

MOST_FACES: Final = 2_000
Content: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Word: TypeAlias = Annotated[str, Field(max_length=100)]


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
