"""What a desktop agent and its team server say to each other of photos that are sent whole."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agent.web.base_schema import Schema
from agent.web.desk_exchange import MOST_PHOTOS
from agent.web.desk_photos import Content

# `there`: the library has it. `sent`: this desk sent it once; it is not sent again, even if the team deleted it.
ContentState: TypeAlias = Literal["there", "sent"]


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

    photos: int
    """files that the desk had sent"""
    results: int
    """photos of which the desk had told what it found"""
    stays: int
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
