"""The API schemas of albums."""

from typing import Annotated, Self

from pydantic import Field

from agent.features.library.records import Album, Match
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import Id

AlbumName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
Ids = Annotated[tuple[Id, ...], Field(max_length=100_000)]


class AlbumOut(Schema):
    id: int
    name: str
    match: Match | None
    """how people of an album of people combine; null: by hand"""
    people: tuple[int, ...]
    certain: bool
    """of people: without photos where they are only probable"""
    kept_back: tuple[int, ...]
    """of its people, those who are not to be shown inside: it leaves them out"""
    count: int
    """photos"""
    cover: int | None
    """an image: the chosen one, or the newest"""
    library: int | None
    """on a server with several libraries, the one it is in"""

    @classmethod
    def of(cls, album: Album) -> Self:
        return cls.from_record(album, library=album.library_id)


class AlbumsOut(Schema):
    items: tuple[AlbumOut, ...]


class AlbumMake(Schema):
    """By hand, or of people: not both."""

    name: AlbumName
    images: Ids = ()
    people: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    match: Match = Match.ALL
    certain: bool = False
    library: Id | None = None
    """of several libraries, the one it is in; without it, the one that most of its photos are in"""


class AlbumChange(Schema):
    name: AlbumName | None = None
    cover: Id | None = None


class AlbumPhotos(Schema):
    ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100_000)]


class AlbumMove(AlbumPhotos):
    before: Id | None = None


class AlbumDone(Schema):
    id: int
    undo: str | None
    """undoes it, also after a restart; null if nothing changed"""
    count: int
    """photos"""
