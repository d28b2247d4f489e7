"""The API schemas of a server's libraries."""

from typing import Annotated, Literal

from pydantic import Field

from agent.interfaces.web.access import Role
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath

LibraryRole = Literal["curator", "editor", "viewer", "auditor"]
LibraryName = Annotated[str, Field(min_length=1, max_length=400)]
MemberIdText = Annotated[str, Field(pattern=r"^[0-9a-f]{1,32}$")]


class LibrarySource(Schema):
    path: str
    """the folder on the server"""
    shown: str
    """what members see in its place"""


class LibraryMember(Schema):
    id: str
    role: Role


class LibraryOut(Schema):
    """A library of the server. What only administrators see is empty for others."""

    id: int
    name: str
    photos: int
    role: Role
    """of who asks"""
    for_all: bool
    """every member sees it, in the role they have on the server"""
    rest: bool
    """it holds every watched folder, because there is no other library"""
    sources: tuple[LibrarySource, ...]
    members: tuple[LibraryMember, ...]
    """who has a role of their own here"""


class LibrariesOut(Schema):
    items: tuple[LibraryOut, ...]
    unassigned: tuple[str, ...]
    """watched folders in no library: only administrators see their photos"""


class LibraryAdd(Schema):
    name: LibraryName
    for_all: bool = False
    sources: Annotated[tuple[FilePath, ...], Field(max_length=1_000)] = ()
    members: Annotated[tuple["LibraryMemberIn", ...], Field(max_length=10_000)] = ()


class LibraryMemberIn(Schema):
    id: MemberIdText
    role: LibraryRole


class LibraryChange(Schema):
    """Omitted fields stay unchanged."""

    name: LibraryName | None = None
    for_all: bool | None = None


class LibraryFolder(Schema):
    path: FilePath


class LibraryGrant(Schema):
    role: LibraryRole
